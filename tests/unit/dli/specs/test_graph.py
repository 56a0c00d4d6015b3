"""What needs what."""

import pytest

from dli.specs.graph import CycleError, Graph

FLIGHTS = Graph(
    {"summary": ["daily", "delays"], "delays": ["daily"], "daily": ["raw"], "alone": []}
)


def test_both_directions_have_distances() -> None:
    assert FLIGHTS.upstream("summary") == {"daily": 1, "delays": 1, "raw": 2}
    assert FLIGHTS.downstream("raw") == {"daily": 1, "delays": 2, "summary": 2}
    assert FLIGHTS.upstream("summary", depth=1) == {"daily": 1, "delays": 1}
    assert FLIGHTS.upstream("summary", depth=0) == {}
    assert FLIGHTS.upstream("unknown") == {}


def test_all_edges_and_names() -> None:
    assert FLIGHTS.edges() == [
        ("daily", "delays"), ("daily", "summary"), ("delays", "summary"), ("raw", "daily"),
    ]  # fmt: skip
    assert "raw" in FLIGHTS
    assert "alone" in FLIGHTS
    assert "unknown" not in FLIGHTS


def test_everything_comes_after_what_it_needs() -> None:
    order = FLIGHTS.order()
    assert (
        order.index("raw") < order.index("daily") < order.index("delays") < order.index("summary")
    )
    assert FLIGHTS.circle == []


def test_a_circle_is_named_and_does_not_hang_a_walk() -> None:
    graph = Graph({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})
    assert sorted(set(graph.circle)) == ["a", "b", "c"]
    assert graph.upstream("a") == {"b": 1, "c": 2}
    with pytest.raises(CycleError):
        graph.order()
