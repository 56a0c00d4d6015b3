"""No service of the routes is reached without saying who asks."""

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from basecamp.routes.access import Site

WITHOUT_SOMEBODY = {
    "Identities": "finds out who asks",
    "HealthService": "answers probes, which are public",
    "LoginService": "finds out who asks, from who has no token yet",
    "WorkflowService.write_files": "for the server's own loop",
    "LineageService.graph": "gets the teams that its caller has asked for",
    "PublishService.subscribe": "for the server's own parts",
    "QualityService.registered": "for the server's own schedule",
    "QualityService.run_kept": "for the server's own schedule",
    "QualityService.subscribe": "for the server's own parts",
}


def methods() -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(Site)
    for kind in {hints[field.name] for field in fields(Site)}:
        if (
            not kind.__module__.startswith("basecamp.services.")
            or kind.__name__ in WITHOUT_SOMEBODY
        ):
            continue
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                yield f"{kind.__name__}.{name}", method


METHODS = dict(methods())


def test_the_services_are_found() -> None:
    assert {"RunService.stop", "CatalogService.search", "TokenService.create"} <= METHODS.keys()
    assert {name for name in WITHOUT_SOMEBODY if "." in name} <= METHODS.keys()


@pytest.mark.parametrize("name", sorted(METHODS.keys() - WITHOUT_SOMEBODY.keys()))
def test_a_method_is_told_who_asks(name: str) -> None:
    _, first, *_ = inspect.signature(METHODS[name]).parameters.values()
    assert first.name in ("actor", "caller")
    assert first.default is inspect.Parameter.empty
