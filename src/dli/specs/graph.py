"""Which specs need which: a graph of names, walked in both directions, with its circles."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

__all__ = ["CycleError", "Graph"]


class Graph:
    """Names and what each of them reads; names that are only read belong to it too."""

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self._needs = {name: sorted(set(sources)) for name, sources in needs.items()}
        self._feeds: dict[str, list[str]] = {}
        for name in sorted(self._needs):
            for source in self._needs[name]:
                self._feeds.setdefault(source, []).append(name)

    def __contains__(self, name: object) -> bool:
        return name in self._needs or name in self._feeds

    def upstream(self, name: str, depth: int = -1) -> dict[str, int]:
        """Everything this name needs, with the distance; `depth` limits it, -1 does not."""
        return dict(_walk(self._needs, name, depth))

    def downstream(self, name: str, depth: int = -1) -> dict[str, int]:
        """Everything that needs this name, with the distance."""
        return dict(_walk(self._feeds, name, depth))

    def edges(self) -> list[tuple[str, str]]:
        """All pairs of source and reader, in the order of names."""
        return [(source, name) for source in sorted(self._feeds) for name in self._feeds[source]]

    def order(self) -> list[str]:
        """All names, each after everything it needs.

        Raises: CycleError when a circle makes that impossible.
        """
        return list(TopologicalSorter(self._needs).static_order())

    @cached_property
    def circle(self) -> list[str]:
        """The names of one circle, the first again at the end; empty when there is none."""
        try:
            TopologicalSorter(self._needs).prepare()
        except CycleError as error:
            return [str(name) for name in error.args[1]]
        return []


def _walk(links: Mapping[str, list[str]], start: str, depth: int) -> Iterator[tuple[str, int]]:
    seen, level, distance = {start}, [start], 0
    while level and distance != depth:
        distance += 1
        found = dict.fromkeys(name for at in level for name in links.get(at, ()))
        level = [name for name in found if name not in seen]
        seen.update(level)
        yield from ((name, distance) for name in level)
