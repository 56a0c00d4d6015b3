"""`dli lineage show|upstream|downstream`: where data comes from and where it goes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from dli.cli.context import execution_context
from dli.cli.errors import suggestion
from dli.cli.group import Entry, LazyGroup
from dli.cli.option import path_option
from dli.cli.output import clean, emit, emit_json, emit_table, note
from dli.exceptions import DatasetNotFoundError
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dli.api.lineage import LineageAPI
    from dli.models.lineage import LineageNode, LineageResult

COMMANDS = {
    "show": Entry("dli.cli.lineage:show", "Show both sides of a dataset or metric."),
    "upstream": Entry("dli.cli.lineage:upstream", "Show what it is made from."),
    "downstream": Entry("dli.cli.lineage:downstream", "Show what is made from it."),
}


@click.group("lineage", cls=LazyGroup, entries=COMMANDS)
def lineage() -> None:
    """Show where data comes from and where it goes."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    depth = click.option(
        "--depth",
        "-d",
        type=click.IntRange(min=-1),
        default=-1,
        show_default=True,
        help="At most this far; -1: without limit.",
    )
    format_ = click.option(
        "--format",
        "-f",
        "format",
        type=click.Choice(["table", "json", "mermaid", "openlineage"]),
        default="table",
        show_default=True,
        help="Form of the result; table: a tree; openlineage: one event per line, of `show` only.",
    )
    for option in (path_option("-p"), format_, depth, click.argument("resource")):
        command = option(command)
    return command


@click.command()
@_options
@click.option("--columns", is_flag=True, help="Show the columns that each column is made from.")
def show(*, resource: str, depth: int, format: str, path: Path | None, columns: bool) -> None:
    """Show both sides of a dataset or metric."""
    if format == "openlineage":
        _emit_events(resource, depth, path, with_columns=columns)
    elif columns:
        _emit_columns(resource, format, path)
    else:
        _emit(resource, "both", depth, format, path)


@click.command()
@_options
def upstream(*, resource: str, depth: int, format: str, path: Path | None) -> None:
    """Show what a dataset or metric is made from."""
    _emit(resource, "upstream", depth, format, path)


@click.command()
@_options
def downstream(*, resource: str, depth: int, format: str, path: Path | None) -> None:
    """Show what is made from a dataset, a source or a table."""
    _emit(resource, "downstream", depth, format, path)


def _api(path: Path | None) -> LineageAPI:
    from dli.api.lineage import LineageAPI

    return LineageAPI(execution_context(path))


def _emit(resource: str, direction: str, depth: int, format: str, path: Path | None) -> None:
    if format == "openlineage":
        raise click.UsageError("--format openlineage goes with show.")
    api = _api(path)
    with _hints(api, resource):
        result = api.get(resource, direction=direction, depth=depth)
    if format == "json":
        from dataclasses import asdict

        emit_json(asdict(result))
    elif format == "mermaid":
        emit("\n".join(_mermaid(result)))
    else:
        emit("\n".join(_tree(result)))
    _note_left_out(api)


def _note_left_out(api: LineageAPI) -> None:
    """What the files that cannot be read would add is not in the graph of a project."""
    if api.context.execution_mode is not ExecutionMode.LOCAL:
        return
    from dli.api.project import open_project

    for problem in open_project(api.context).problems:
        note(f"Left out: {problem}")


@contextmanager
def _hints(api: LineageAPI, resource: str) -> Iterator[None]:
    try:
        yield
    except DatasetNotFoundError as error:
        if hint := suggestion(resource, api.names()):
            error.add_note(hint.strip())
        raise


def _emit_events(resource: str, depth: int, path: Path | None, *, with_columns: bool) -> None:
    if depth != -1 or with_columns:
        raise click.UsageError("--format openlineage has columns, and goes without --depth.")
    api = _api(path)
    with _hints(api, resource):
        events = api.get_events(resource)
    for event in events:
        emit(event)
    if not events:
        note("No dataset and no metric is part of this graph.")


def _emit_columns(resource: str, format: str, path: Path | None) -> None:
    if format == "mermaid":
        raise click.UsageError("--columns goes with table and json.")
    found = _api(path).get_columns(resource)
    if format == "json":
        emit_json(found)
    elif found:
        rows = [(column, ", ".join(sources)) for column, sources in found.items()]
        emit_table(("COLUMN", "FROM"), rows)
    else:
        note("No columns found.")


def _tree(result: LineageResult) -> Iterator[str]:
    nodes = {node.name: node for node in (*result.nodes, result.root)}
    yield f"{result.root.name} ({result.root.type})"
    for title, side, is_up in (
        ("upstream", result.upstream_nodes, True),
        ("downstream", result.downstream_nodes, False),
    ):
        if result.direction in (title, "both"):
            yield f"{title}: {len(side) or 'none'}"
            yield from _branches(result.root.name, _links(result, is_up=is_up), nodes)


def _links(result: LineageResult, *, is_up: bool) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for edge in result.edges:
        start, end = (edge.target, edge.source) if is_up else (edge.source, edge.target)
        links.setdefault(start, []).append(end)
    return links


def _branches(
    root: str, links: Mapping[str, list[str]], nodes: Mapping[str, LineageNode]
) -> Iterator[str]:
    """Each name once with all below it; a name that comes again is only named."""
    seen = {root}
    waiting = _level(links.get(root, ()), "")[::-1]
    while waiting:
        name, before, is_last = waiting.pop()
        again = name in seen
        node = nodes.get(name)
        told = "" if node is None else f" ({node.type}, {abs(node.depth)})"
        yield f"{before}{'└── ' if is_last else '├── '}{name}{told}{' ...' if again else ''}"
        if not again:
            seen.add(name)
            inner = before + ("    " if is_last else "│   ")
            waiting += _level(links.get(name, ()), inner)[::-1]


def _level(names: Any, before: str) -> list[tuple[str, str, bool]]:
    return [(name, before, name == names[-1]) for name in names]


def _mermaid(result: LineageResult) -> Iterator[str]:
    names = {name for edge in result.edges for name in (edge.source, edge.target)}
    ids = {name: f"n{number}" for number, name in enumerate(sorted(names | {result.root.name}))}
    yield "flowchart LR"
    for name, key in ids.items():
        yield f'    {key}["{_label(name)}"]'
    for edge in result.edges:
        arrow = "-.->" if edge.edge_type == "declared" else "-->"
        yield f"    {ids[edge.source]} {arrow} {ids[edge.target]}"
    yield f"    style {ids[result.root.name]} stroke-width:3px"


def _label(name: str) -> str:
    return re.sub(r'["<>&#;\[\]{}|`]', "_", clean(name))
