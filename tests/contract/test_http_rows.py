"""The operations of the server are those of the contract, and their tests use all they take."""

import re
from pathlib import Path
from typing import Any

import pytest

from basecamp.app import Basecamp, create_api
from basecamp.routes.description import describe
from basecamp.settings import Settings
from evidence import source, table

OPERATIONS = table("http")["operations"]
PREFIX = "/api/v1"


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("described")
    settings = Settings(project=folder, state_dir=Path(folder, "state"))
    with Basecamp(settings) as basecamp:
        return describe(create_api(basecamp))


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {short(path)}": operation
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }


def short(path: str) -> str:
    inside = path.startswith(PREFIX)
    return re.sub(r"{[^}]*}", "{}", path.removeprefix(PREFIX) if inside else f"root{path}")


def queries(operation: dict[str, Any]) -> set[str]:
    return {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}


def fields(operation: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    names = re.findall(r"#/components/schemas/(\w+)", str(body))
    return {field for name in names for field in schemas[name]["properties"]}


def test_no_operation_is_without_a_row(description: dict[str, Any]) -> None:
    assert sorted(operations(description)) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_takes_and_answers_what_the_contract_says(
    description: dict[str, Any], name: str
) -> None:
    kept, operation = OPERATIONS[name], operations(description)[name]
    assert set(kept.get("query", [])) <= queries(operation)
    assert set(kept.get("body", [])) <= fields(operation, description["components"]["schemas"])
    found = {int(status) for status in operation["responses"] if status < "3"}
    assert found == set(kept["success"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_tests_of_an_operation_use_all_that_it_takes(name: str) -> None:
    kept = OPERATIONS[name]
    texts = "\n".join(map(source, kept["tests"]))
    taken = (*kept.get("query", []), *kept.get("body", []))
    assert [word for word in taken if not re.search(rf"\b{word}\b", texts)] == []
