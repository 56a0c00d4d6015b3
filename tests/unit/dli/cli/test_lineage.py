"""`dli lineage show|upstream|downstream`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

HEAD = "owner: a\nteam: b\nname: "
SPECS = {
    "daily": "INSERT INTO s.m.daily SELECT day, SUM(amount) AS paid FROM s.raw.orders GROUP BY day",
    "left": "INSERT INTO s.m.left SELECT * FROM s.m.daily",
    "right": "INSERT INTO s.m.right SELECT * FROM s.m.daily",
    "both": "INSERT INTO s.m.both SELECT l.paid + r.paid FROM s.m.left l, s.m.right r",
}


@pytest.fixture(autouse=True)
def project(clean_place: Path) -> Path:
    (clean_place / "datasets").mkdir()
    (clean_place / "dli.yaml").write_text("sources: [{table: s.raw.orders, path: orders.csv}]")
    (clean_place / "orders.csv").write_text("day,amount\n2025-01-01,3\n")
    for name, sql in SPECS.items():
        file = clean_place / "datasets" / f"dataset.s.m.{name}.yaml"
        file.write_text(f"{HEAD}s.m.{name}\nquery_statement: {sql}\n")
    return clean_place


def test_a_tree_names_each_thing_once_with_what_is_below(dli: Dli) -> None:
    result = dli("lineage", "show", "s.m.both")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "s.m.both (Dataset)",
        "upstream: 4",
        "├── s.m.left (Dataset, 1)",
        "│   └── s.m.daily (Dataset, 2)",
        "│       └── s.raw.orders (Source, 3)",
        "└── s.m.right (Dataset, 1)",
        "    └── s.m.daily (Dataset, 2) ...",
        "downstream: none",
    ]


def test_a_file_that_is_left_out_of_the_graph_is_named(dli: Dli, project: Path) -> None:
    (project / "datasets" / "dataset.s.m.torn.yaml").write_text("name: [\n")
    result = dli("lineage", "downstream", "s.m.daily")
    assert result.exit_code == 0
    assert result.stderr.startswith("Left out: datasets/dataset.s.m.torn.yaml:")


def test_one_side_and_its_depth(dli: Dli) -> None:
    assert dli("lineage", "downstream", "s.raw.orders", "-d", "1").stdout.splitlines() == [
        "s.raw.orders (Source)",
        "downstream: 1",
        "└── s.m.daily (Dataset, 1)",
    ]
    assert "downstream" not in dli("lineage", "upstream", "s.m.daily").stdout


def test_json_and_mermaid(dli: Dli) -> None:
    answer = json.loads(dli("lineage", "show", "s.m.left", "-f", "json").stdout)
    assert answer["root"]["name"] == "s.m.left"
    assert {node["name"]: node["depth"] for node in answer["nodes"]} == {
        "s.m.both": 1,
        "s.m.daily": -1,
        "s.raw.orders": -2,
    }
    assert (answer["direction"], answer["max_depth"], answer["total_upstream"]) == ("both", -1, 2)
    assert dli("lineage", "upstream", "s.m.left", "-f", "mermaid").stdout.splitlines() == [
        "flowchart LR",
        '    n0["s.m.daily"]',
        '    n1["s.m.left"]',
        '    n2["s.raw.orders"]',
        "    n0 --> n1",
        "    n2 --> n0",
        "    style n1 stroke-width:3px",
    ]


def test_columns_with_the_names_that_the_table_has(dli: Dli) -> None:
    found = json.loads(dli("lineage", "show", "s.m.daily", "--columns", "-f", "json").stdout)
    assert found == {"day": ["s.raw.orders.day"], "paid": ["s.raw.orders.amount"]}
    made = "CREATE TABLE s.m.daily AS SELECT day, SUM(amount) AS sum FROM s.raw.orders GROUP BY day"
    assert dli("dataset", "run", "--sql", made).exit_code == 0
    shown = dli("lineage", "show", "s.m.left", "--columns").stdout.splitlines()
    assert shown == ["COLUMN  FROM", "day     s.m.daily.day", "sum     s.m.daily.sum"]


def test_an_unknown_name_gets_the_close_ones(dli: Dli) -> None:
    result = dli("lineage", "show", "s.m.dayly")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error [DLI-101]: Dataset 's.m.dayly' not found. Searched: ")
    assert "Did you mean 's.m.daily'?" in result.stderr


@pytest.mark.parametrize(
    "words",
    [("show", "s.m.daily", "-d", "-2"), ("show",), ("show", "x", "--columns", "-f", "mermaid"), ()],
)
def test_what_cannot_be_meant_is_a_usage_error(dli: Dli, words: tuple[str, ...]) -> None:
    assert dli("lineage", *words).exit_code == 2


def test_outside_of_a_project_the_server_is_asked(dli: Dli, project: Path) -> None:
    (project / "dli.yaml").unlink()
    assert dli("lineage", "show", "a.b").stderr.startswith("Error [DLI-001]: server_url required")


def test_samples_of_mock_mode(mock_dli: Dli) -> None:
    result = mock_dli("lineage", "show", "iceberg.analytics.daily_clicks")
    assert "└── iceberg.warehouse.user_events (Dataset, 1)" in result.stdout
    assert result.stderr.startswith("MOCK: ")
    assert mock_dli("lineage", "show", "nothing").exit_code == 1


def test_events_of_openlineage_one_per_line(dli: Dli, project: Path) -> None:
    result = dli("lineage", "show", "s.m.left", "--format", "openlineage")
    assert (result.exit_code, result.stderr) == (0, "")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    told = {
        event["job"]["name"]: (
            event["job"]["namespace"],
            [one["name"] for one in event["inputs"]],
            [one["name"] for one in event["outputs"]],
        )
        for event in events
    }
    assert told == {
        "s.m.daily": ("unnamed", ["s.raw.orders"], ["s.m.daily"]),
        "s.m.left": ("unnamed", ["s.m.daily"], ["s.m.left"]),
        "s.m.both": ("unnamed", ["s.m.left", "s.m.right"], ["s.m.both"]),
    }
    fields = events[0]["outputs"][0]["facets"]["columnLineage"]["fields"]
    (source,) = fields["paid"]["inputFields"]
    assert (source["name"], source["field"]) == ("s.raw.orders", "amount")
    assert "github.com" not in result.stdout
    (project / "dli.yaml").write_text("lineage: {namespace: shop}")
    result = dli("lineage", "show", "s.m.left", "--format", "openlineage")
    assert json.loads(result.stdout.splitlines()[0])["job"]["namespace"] == "shop"


@pytest.mark.parametrize(
    "words",
    [("upstream", "s.m.left"), ("show", "s.m.left", "--depth", "1"), ("show", "x", "--columns")],
)
def test_events_of_openlineage_are_those_of_show_alone(dli: Dli, words: tuple[str, ...]) -> None:
    assert dli("lineage", *words, "--format", "openlineage").exit_code == 2


def test_events_of_an_unknown_name_and_of_a_table(dli: Dli) -> None:
    unknown = dli("lineage", "show", "s.m.lfet", "--format", "openlineage")
    assert unknown.exit_code == 1
    assert "s.m.left" in unknown.stderr


def test_events_of_openlineage_from_the_samples(dli: Dli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "mock")
    result = dli("lineage", "show", "iceberg.analytics.daily_clicks", "--format", "openlineage")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {event["job"]["namespace"] for event in events} == {"default"}


def test_events_of_openlineage_need_their_extra(dli: Dli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dli.warehouse.openlineage", raising=False)
    monkeypatch.setitem(sys.modules, "openlineage.client", None)
    result = dli("lineage", "show", "s.m.left", "--format", "openlineage")
    assert result.exit_code == 1
    assert "dli[lineage]" in result.stderr
