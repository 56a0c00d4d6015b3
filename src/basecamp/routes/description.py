"""The OpenAPI description: what the framework derives, completed by what it cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from basecamp.auth import PUBLIC
from basecamp.errors import MEDIA_TYPE
from basecamp.routes.answer import FieldProblem, Problem, problem_response

if TYPE_CHECKING:
    from fastapi import FastAPI

_REF = "#/components/schemas/{model}"
_FRAMEWORK_ONLY = ("HTTPValidationError", "ValidationError")
_EVERYWHERE = frozenset({400, 421, 500, 503})
_WITH_TOKEN = frozenset({401, 403, 429})
_WITH_BODY = frozenset({408, 413, 415})
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of all routes of `app`."""
    found = get_openapi(title=app.title, version=app.version, routes=app.routes)
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FRAMEWORK_ONLY:
        schemas.pop(name, None)
    for model in (FieldProblem, Problem):
        schemas[model.__name__] = model.model_json_schema(ref_template=_REF)
        schemas[model.__name__].pop("$defs", None)
    components["securitySchemes"] = _SECURITY
    for path, item in found["paths"].items():
        for method, operation in item.items():
            _complete(operation, is_public=(method.upper(), path) in PUBLIC)
    return found


def _complete(operation: dict[str, Any], *, is_public: bool) -> None:
    responses: dict[str, Any] = operation["responses"]
    if MEDIA_TYPE not in responses.get("422", {}).get("content", {MEDIA_TYPE: ...}):
        del responses["422"]  # the framework's own form of errors, which never goes out
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            _forbid_nul(parameter["schema"])
    statuses = set(_EVERYWHERE)
    if "requestBody" in operation:
        statuses |= _WITH_BODY
    if not is_public:
        statuses |= _WITH_TOKEN
    operation["security"] = [] if is_public else [{"bearer": []}, {"apiKey": []}]
    for status in sorted(statuses):
        responses.setdefault(str(status), problem_response(status))


def _forbid_nul(schema: dict[str, Any]) -> None:
    """No route takes a text with a NUL character in its query."""
    for part in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if part.get("type") == "string" and not part.keys() & {"pattern", "enum", "format"}:
            part["pattern"] = r"^[^\u0000]*$"
