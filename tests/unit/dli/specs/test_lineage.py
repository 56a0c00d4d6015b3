"""The graph of a project, from SQL and `depends_on`."""

from pathlib import Path

import pytest

from dli.exceptions import DatasetNotFoundError
from dli.models.lineage import LineageDirection, LineageResult
from dli.specs.dependency import project_lineage
from dli.specs.lineage import Lineage
from dli.specs.project import Project

HEAD = "owner: a\nteam: b\nname: "
SPECS = {
    "datasets/dataset.s.m.daily.yaml": """s.m.daily
parameters: [{name: least, type: integer}]
pre_statements:
  - {name: create, sql: CREATE TABLE IF NOT EXISTS s.m.daily (a INT)}
  - {name: old, sql: DELETE FROM s.m.daily WHERE a IN (SELECT a FROM s.m.gone)}
query_statement: |
  INSERT INTO s.m.daily WITH c AS (SELECT * FROM S.RAW.Orders) SELECT a FROM c WHERE a > {{ least }}
post_statements:
  - {name: log, sql: INSERT INTO s.m.log SELECT COUNT(*) FROM s.m.daily}
""",
    "datasets/dataset.s.m.weekly.yaml": """s.m.weekly
depends_on: [s.m.daily, s.m.calendar]
query_statement: INSERT INTO s.m.weekly SELECT a FROM s.m.daily
""",
    "datasets/dataset.s.m.broken.yaml": """s.m.broken
depends_on: [s.m.weekly]
query_statement: SELEC {{ nothing }}
""",
    "metrics/metric.s.m.total.yaml": """s.m.total
description: All
query_statement: SELECT SUM(a) FROM s.m.weekly
""",
}


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    (tmp_path / "dli.yaml").write_text("sources: [{table: s.raw.orders, path: o.csv}]")
    for name, text in SPECS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(HEAD + text)
    return project_lineage(Project.open(tmp_path, {}))


def depths(result: LineageResult) -> dict[str, int]:
    return {node.name: node.depth for node in result.nodes}


def test_both_sides_with_their_distance(lineage: Lineage) -> None:
    result = lineage.around("s.m.daily")
    assert depths(result) == {
        "s.raw.orders": -1,
        "s.m.gone": -1,
        "s.m.log": 1,
        "s.m.weekly": 1,
        "s.m.broken": 2,
        "s.m.total": 2,
    }
    assert (result.total_upstream, result.total_downstream) == (2, 4)
    assert {node.name for node in result.upstream_nodes} == {"s.raw.orders", "s.m.gone"}


def test_kinds_of_nodes_and_edges(lineage: Lineage) -> None:
    result = lineage.around("s.m.weekly")
    assert {node.name: node.type for node in result.nodes} == {
        "s.m.daily": "Dataset",
        "s.raw.orders": "Source",
        "s.m.gone": "Table",
        "s.m.calendar": "Table",
        "s.m.total": "Metric",
        "s.m.broken": "Dataset",
    }
    kinds = {(edge.source, edge.target): edge.edge_type for edge in result.edges}
    assert kinds["s.m.calendar", "s.m.weekly"] == "declared"
    assert kinds["s.m.daily", "s.m.weekly"] == "direct"
    assert kinds["s.m.weekly", "s.m.broken"] == "declared"
    assert ("s.m.daily", "s.m.log") not in kinds
    log = lineage.around("s.m.log")
    assert [(edge.source, edge.edge_type) for edge in log.edges if edge.target == "s.m.log"] == [
        ("s.m.daily", "writes")
    ]


def test_direction_and_depth(lineage: Lineage) -> None:
    up = lineage.around("s.m.total", LineageDirection.UPSTREAM, 2)
    assert depths(up) == {"s.m.weekly": -1, "s.m.daily": -2, "s.m.calendar": -2}
    assert up.root.description == "All"
    down = lineage.around("S.RAW.ORDERS", LineageDirection.DOWNSTREAM, 1)
    assert (down.root.name, depths(down)) == ("s.raw.orders", {"s.m.daily": 1})
    assert depths(lineage.around("s.m.daily", depth=0)) == {}


def test_an_unknown_name_is_told_with_the_places_searched(lineage: Lineage) -> None:
    with pytest.raises(DatasetNotFoundError) as caught:
        lineage.around("s.m.none")
    assert len(caught.value.searched_paths) == 2
    assert "s.m.calendar" in lineage.names()
