"""Answers: records as JSON, and what OpenAPI tells about them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from basecamp import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import UnionType

    from basecamp.services.command import Reply

_JSON = "application/json"


class FieldProblem(BaseModel):
    """One finding about one field."""

    pointer: str
    message: str


class Problem(BaseModel):
    """Why a request was refused or failed (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def as_json(body: Mapping[str, Any], status: int = 200) -> Response:
    """A record as an answer."""
    return Response(errors.encode(body), status, media_type=_JSON)


def of_reply(reply: Reply) -> Response:
    """What a change was answered with, now or the first time."""
    answer = as_json(reply.body, reply.status)
    if reply.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def page(noun: str, records: list[dict[str, Any]], total: int, limit: int, offset: int) -> Response:
    """One page of a list."""
    end = offset + len(records)
    is_last = end >= total or not records
    fields = {"limit": limit, "offset": offset, "next_offset": None if is_last else end}
    return as_json({noun: records, "total_count": total, **fields})


def problem_response(status: int) -> dict[str, Any]:
    """The OpenAPI entry of an answer that is a problem."""
    content = {errors.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def documented(
    *refusals: int, **by_status: type[BaseModel] | UnionType
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: records as `ok_200=Record`, and the problems of its own.

    Problems that any route may answer are added by `basecamp.routes.description`.
    """
    found: dict[int | str, dict[str, Any]] = {
        int(name.removeprefix("ok_")): {"model": model} for name, model in by_status.items()
    }
    return found | {status: problem_response(status) for status in refusals}
