"""`dli catalog show|list|search`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from dli.cli.context import execution_context
from dli.cli.option import format_option, limit_option, path_option
from dli.cli.output import emit, emit_fields, emit_json, emit_table, note
from dli.cli.row import emit_rows
from dli.exceptions import CatalogError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dli.api.catalog import CatalogAPI
    from dli.models.catalog import TableDetail, TableInfo

SECTIONS = ("basic", "columns", "quality", "freshness", "ownership", "impact", "queries")

_ALL = 1_000_000
_CODED = re.compile(r"\[(DLI-\d{3})\] (.*)", re.DOTALL)


def _offset_option() -> Callable[[Any], Any]:
    return click.option(
        "--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Skip so many."
    )


@click.command()
@click.argument("identifier", required=False)
@format_option("-f")
@limit_option(50)
@_offset_option()
@click.option("--section", "-s", type=click.Choice(SECTIONS), help="Only this part of a table.")
@click.option("--sample", is_flag=True, help="Add some rows of a table; personal data as ***.")
@path_option()
def show(
    *,
    identifier: str | None,
    format: str,
    limit: int,
    offset: int,
    section: str | None,
    sample: bool,
    path: Path | None,
) -> None:
    """Show all tables, those of PROJECT or PROJECT.DATASET, or one table."""
    api = _api(path)
    if identifier is None or identifier.count(".") < 2:
        if section or sample:
            raise click.UsageError("--section and --sample belong to one table.")
        _emit_tables(_listed(api, identifier, offset + limit)[offset:], format)
        return
    result = api.get(identifier, include_sample=sample)
    _raise_failure(result.error_message)
    _emit_detail(result.table, section, format)


@click.command("list")
@click.option("--project", "-p", help="Only tables of this project.")
@click.option("--dataset", "-d", help="Only tables of this dataset of a project.")
@click.option("--owner", "-o", help="Only those of this owner.")
@click.option("--team", "-t", help="Only those of this team.")
@click.option("--tag", "tags", multiple=True, help="Only those with this tag; repeatable.")
@format_option("-f")
@limit_option(50)
@_offset_option()
@path_option()
def list_tables(
    *,
    project: str | None,
    dataset: str | None,
    owner: str | None,
    team: str | None,
    tags: Sequence[str],
    format: str,
    limit: int,
    offset: int,
    path: Path | None,
) -> None:
    """List tables, narrowed by project, owner, team and tag."""
    is_whole = dataset is None or project is not None  # a dataset alone is no identifier
    identifier = ".".join(filter(None, (project, dataset))) if project else None
    result = _api(path).list_tables(
        identifier, limit=offset + limit if is_whole else _ALL, owner=owner, team=team, tags=tags
    )
    _raise_failure(result.error_message)
    found = [table for table in result.tables if dataset in (None, table.dataset)]
    _emit_tables(found[offset : offset + limit], format)


@click.command()
@click.argument("keyword")
@click.option("--project", "-p", help="Only tables of this project.")
@format_option("-f")
@limit_option(20)
@path_option()
def search(
    *, keyword: str, project: str | None, format: str, limit: int, path: Path | None
) -> None:
    """Find tables by a word in name, columns, descriptions or tags."""
    result = _api(path).search(keyword, limit=limit, project=project)
    _raise_failure(result.error_message)
    _emit_tables(result.tables, format)


def _api(path: Path | None) -> CatalogAPI:
    from dli.api.catalog import CatalogAPI

    return CatalogAPI(execution_context(path))


def _listed(api: CatalogAPI, identifier: str | None, limit: int) -> list[TableInfo]:
    result = api.list_tables(identifier, limit=limit)
    _raise_failure(result.error_message)
    return result.tables


def _raise_failure(message: str | None) -> None:
    """A failed result as the error that it tells of."""
    if message is None:
        return
    found = _CODED.match(message)
    if found is None:
        raise CatalogError(message)
    raise CatalogError(found[2], ErrorCode(found[1]))


def _emit_tables(tables: Sequence[TableInfo], format: str) -> None:
    if format == "json":
        emit_json([table.model_dump(mode="json") for table in tables])
    elif tables:
        rows = [(t.name, t.engine, t.owner, t.team, t.row_count, ", ".join(t.tags)) for t in tables]
        emit_table(("TABLE", "ENGINE", "OWNER", "TEAM", "ROWS", "TAGS"), rows)
    else:
        note("No table found.")


def _emit_detail(table: TableDetail, section: str | None, format: str) -> None:
    record = table.model_dump(mode="json")
    basic = ("name", "engine", "description", "tags", "basecamp_url")
    parts: dict[str, Any] = {
        "basic": {key: record[key] for key in basic},
        "columns": record["columns"],
        "quality": record["quality"] if table.quality.total_tests else {},
        "freshness": record["freshness"] if table.freshness.last_updated else {},
        "ownership": record["ownership"],
        "impact": record["impact"],
        "queries": record["sample_queries"],
    }
    if format == "json":
        whole = {**record, **parts["basic"], "basic": parts["basic"]}
        key = "sample_queries" if section == "queries" else section
        emit_json(record if key is None else whole[key])
        return
    for title in SECTIONS if section is None else (section,):
        _emit_part(title, parts[title], with_title=section is None)
    if table.sample_data:
        emit("\nsample")
        emit_rows(list(table.sample_data[0]), table.sample_data, "table")


def _emit_part(title: str, part: Any, *, with_title: bool) -> None:
    fields = part if isinstance(part, dict) else {}
    told = {key: _text(value) for key, value in fields.items() if value not in (None, "", [])}
    tests = fields.get("recent_tests")
    told.pop("recent_tests", None)
    if not part or (fields and not told):
        if not with_title:
            note(f"Nothing is known of: {title}.")
        return
    if with_title and title != "basic":
        emit(f"\n{title}")
    if told:
        emit_fields(told)
        if tests:
            _emit_records(tests)
    elif isinstance(part, list):
        _emit_records(part)


def _emit_records(records: Sequence[Mapping[str, Any]]) -> None:
    keys = [key for key in records[0] if any(one[key] not in (None, False) for one in records)]
    emit_table(
        [key.upper() for key in keys], [[_text(one[key]) for key in keys] for one in records]
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)
