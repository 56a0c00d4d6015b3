"""The graph of specs: what each is made from, as its SQL and its `depends_on` say.

It is put together from what `dli.specs.dependency` has found in the SQL, and parses none itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dli.exceptions import DatasetNotFoundError
from dli.models.dataset import DatasetSpec
from dli.models.lineage import LineageDirection, LineageEdge, LineageNode, LineageResult
from dli.models.metric import MetricSpec
from dli.specs.graph import Graph

__all__ = ["Lineage", "Member", "declared_columns", "member_of"]

DIRECT, DECLARED, WRITES = "direct", "declared", "writes"
"""Read by SQL; only named in `depends_on`; filled by another dataset beside its own table."""


@dataclass(frozen=True, slots=True)
class Member:
    """A spec in the graph. A metric writes nothing."""

    node: LineageNode
    depends_on: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


class Lineage:
    """Datasets, metrics, sources, and tables that nobody declares.

    `searched` are the places that an unknown name was looked for in.
    """

    def __init__(
        self, members: Iterable[Member], sources: Iterable[str] = (), searched: Sequence[str] = ()
    ) -> None:
        self._members = {member.node.name: member for member in members}
        self._sources = set(sources)
        self._searched = list(searched)
        self._spelling = {name.lower(): name for name in (*self._members, *self._sources)}
        self._kinds: dict[tuple[str, str], str] = {}
        for member in self._members.values():
            self._add(member)
        needs: dict[str, list[str]] = {name: [] for name in (*self._members, *self._sources)}
        for source, target in self._kinds:
            needs.setdefault(target, []).append(source)
        self._graph = Graph(needs)

    def around(
        self, name: str, direction: LineageDirection = LineageDirection.BOTH, depth: int = -1
    ) -> LineageResult:
        """The part of the graph that `name` is made from, and that is made from it.

        `depth` limits the distance, -1 does not; the depths of sources are negative.
        Raises: DatasetNotFoundError DLI-101.
        """
        root = self._spelling.get(name.lower(), name)
        if root not in self._graph:
            message = "Nothing of this name is in the graph"
            raise DatasetNotFoundError(message, name=name, searched_paths=self._searched)
        above: dict[str, int] = {}
        below: dict[str, int] = {}
        if direction is not LineageDirection.DOWNSTREAM:
            above = self._graph.upstream(root, depth)
        if direction is not LineageDirection.UPSTREAM:
            below = self._graph.downstream(root, depth)
        return LineageResult(
            root=self._node(root),
            nodes=[
                replace(self._node(at), depth=far)
                for at, far in {**below, **{at: -far for at, far in above.items()}}.items()
            ],
            edges=self._edges(root, above, below),
            direction=direction,
            max_depth=depth,
            total_upstream=len(above),
            total_downstream=len(below),
        )

    def below(self, name: str) -> list[LineageNode]:
        """Everything that is made from `name`; nothing for a name that is not in the graph."""
        try:
            return self.around(name, LineageDirection.DOWNSTREAM).nodes
        except DatasetNotFoundError:
            return []

    def names(self) -> list[str]:
        """Everything in the graph."""
        linked = (name for pair in self._kinds for name in pair)
        return sorted({*self._members, *self._sources, *linked})

    def _edges(self, root: str, above: dict[str, int], below: dict[str, int]) -> list[LineageEdge]:
        """Links on the way to the root, not those between two of its neighbours elsewhere."""
        sides = ({root, *above}, {root, *below})
        return [
            LineageEdge(source, target, self._kinds[source, target])
            for source, target in self._graph.edges()
            if any(source in side and target in side for side in sides)
        ]

    def _add(self, member: Member) -> None:
        name = member.node.name
        for table in member.depends_on:
            self._link(table, name, DECLARED)
        for table in member.reads:
            self._link(table, name, DIRECT)
        for table in member.writes:
            self._link(name, table, WRITES)

    def _link(self, source: str, target: str, kind: str) -> None:
        source = self._spelling.get(source.lower(), source)
        target = self._spelling.get(target.lower(), target)
        if source != target:
            self._kinds[source, target] = kind

    def _node(self, name: str) -> LineageNode:
        member = self._members.get(name)
        if member is not None:
            return member.node
        return LineageNode(name, "Source" if name in self._sources else "Table")


def member_of(
    spec: DatasetSpec | MetricSpec, reads: Sequence[str] = (), writes: Sequence[str] = ()
) -> Member:
    """A spec with the tables that its statements read and write."""
    node = LineageNode(
        spec.name,
        spec.type.value,
        owner=spec.owner,
        team=spec.team,
        description=spec.description or None,
        tags=list(spec.tags),
    )
    written = dict.fromkeys(writes) if isinstance(spec, DatasetSpec) else ()
    return Member(node, tuple(spec.depends_on), tuple(dict.fromkeys(reads)), tuple(written))


def declared_columns(spec: DatasetSpec | MetricSpec) -> list[str]:
    """The names in the `schema` of a spec."""
    return [str(field["name"]) for field in spec.schema_fields if "name" in field]
