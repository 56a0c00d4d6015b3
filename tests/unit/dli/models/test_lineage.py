"""The two sides of a resource."""

from dli.models.lineage import LineageEdge, LineageNode, LineageResult


def names(nodes: list[LineageNode]) -> list[str]:
    return [node.name for node in nodes]


def test_the_sides_follow_the_edges_over_any_distance() -> None:
    edges = [("raw", "daily"), ("daily", "root"), ("root", "monthly"), ("other", "monthly")]
    graph = LineageResult(
        root=LineageNode("root"),
        nodes=[LineageNode(name) for name in ("root", "raw", "daily", "monthly", "other")],
        edges=[LineageEdge(source, target) for source, target in edges],
    )
    assert names(graph.upstream_nodes) == ["raw", "daily"]
    assert names(graph.downstream_nodes) == ["monthly"]


def test_a_circle_ends() -> None:
    graph = LineageResult(
        root=LineageNode("a"),
        nodes=[LineageNode("a"), LineageNode("b")],
        edges=[LineageEdge("a", "b"), LineageEdge("b", "a")],
    )
    assert names(graph.upstream_nodes) == names(graph.downstream_nodes) == ["b"]


def test_without_edges_there_are_no_sides() -> None:
    graph = LineageResult(root=LineageNode("a"), nodes=[LineageNode("b")])
    assert graph.upstream_nodes == graph.downstream_nodes == []
