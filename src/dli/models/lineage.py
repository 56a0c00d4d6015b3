"""What a resource is made from and what is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["LineageDirection", "LineageEdge", "LineageNode", "LineageResult"]


class LineageDirection(StrEnum):
    """Which side of a resource is looked at."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BOTH = "both"


@dataclass
class LineageNode:
    """A resource; `depth` is its distance from the root."""

    name: str
    type: str = "Dataset"
    owner: str | None = None
    team: str | None = None
    description: str | None = None
    tags: list[str] = field(default_factory=list)
    depth: int = 0


@dataclass
class LineageEdge:
    """`target` is made from `source`."""

    source: str
    target: str
    edge_type: str = "direct"

    @property
    def is_written(self) -> bool:
        """Whether `source` fills the table `target` beside its own."""
        return self.edge_type == "writes"


@dataclass
class LineageResult:
    """A part of the graph around `root`; `max_depth` -1 means without limit."""

    root: LineageNode
    nodes: list[LineageNode] = field(default_factory=list)
    edges: list[LineageEdge] = field(default_factory=list)
    direction: LineageDirection = LineageDirection.BOTH
    max_depth: int = -1
    total_upstream: int = 0
    total_downstream: int = 0

    @property
    def upstream_nodes(self) -> list[LineageNode]:
        """What the root is made from, directly or through others."""
        return self._reached([(edge.target, edge.source) for edge in self.edges])

    @property
    def downstream_nodes(self) -> list[LineageNode]:
        """What is made from the root, directly or through others."""
        return self._reached([(edge.source, edge.target) for edge in self.edges])

    def _reached(self, steps: list[tuple[str, str]]) -> list[LineageNode]:
        reached, waiting = {self.root.name}, [self.root.name]
        while waiting:
            here = waiting.pop()
            new = {end for start, end in steps if start == here} - reached
            reached |= new
            waiting += new
        return [node for node in self.nodes if node.name in reached - {self.root.name}]
