"""`dli dataset list|get|validate`: the datasets of a project, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from dli.cli.connection import required_root
from dli.cli.errors import suggestion
from dli.cli.group import Entry, LazyGroup
from dli.cli.option import format_option, param_option, path_option, split_pairs
from dli.cli.output import emit, emit_fields, emit_json, emit_table, note
from dli.exceptions import (
    DatasetNotFoundError,
    DLIValidationError,
    ErrorCode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.models.dataset import DatasetSpec
    from dli.models.spec import QueryParameter
    from dli.specs.project import Project

COMMANDS = {
    "list": Entry("dli.cli.dataset:list_datasets", "List the datasets of the project."),
    "get": Entry("dli.cli.dataset:get", "Show one dataset."),
    "validate": Entry("dli.cli.dataset:validate", "Look for every problem of a dataset."),
}


@click.group("dataset", cls=LazyGroup, entries=COMMANDS)
def dataset() -> None:
    """Work with the datasets of the project, without a server."""


@click.command("list")
@click.option("--tag", "-t", "tags", multiple=True, help="Only those with this tag; repeatable.")
@click.option("--owner", "-o", help="Only those of this owner.")
@click.option("--search", help="Only those with this text in name or description.")
@format_option("-f")
@path_option("-p")
def list_datasets(
    *, tags: Sequence[str], owner: str | None, search: str | None, format: str, path: Path | None
) -> None:
    """List the datasets of the project."""
    project = _project(path)
    specs = list(project.datasets().values())
    specs = [
        spec
        for spec in specs
        if owner in (None, spec.owner)
        and set(tags) <= set(spec.tags)
        and (search or "").lower() in f"{spec.name}\n{spec.description}".lower()
    ]
    if format == "json":
        emit_json([_record(spec) for spec in specs])
    elif specs:
        rows = [(s.name, s.owner, s.team, _schedule(s), ", ".join(s.tags)) for s in specs]
        emit_table(("DATASET", "OWNER", "TEAM", "SCHEDULE", "TAGS"), rows)
    else:
        note("No dataset found.")
    for problem in project.problems:
        note(f"Left out: {problem}")


@click.command()
@click.argument("name")
@format_option("-f")
@path_option("-p")
def get(*, name: str, format: str, path: Path | None) -> None:
    """Show one dataset."""
    spec = _spec(_project(path), name)
    if format == "json":
        emit_json(_record(spec))
        return
    fields = {key: getattr(spec, key) for key in ("name", "owner", "team", "description")}
    fields |= {"schedule": _schedule(spec), "tags": ", ".join(spec.tags)}
    fields |= {"depends_on": ", ".join(spec.depends_on)}
    fields |= {f"parameter {p.name}": _parameter(p) for p in spec.parameters}
    emit_fields({key: value for key, value in fields.items() if value})


@click.command()
@click.argument("name")
@param_option()
@click.option(
    "--show-sql/--no-sql", default=True, show_default=True, help="Show the SQL as it runs."
)
@path_option()
def validate(*, name: str, params: Sequence[str], show_sql: bool, path: Path | None) -> None:
    """Look for every problem of a dataset: spec, parameters, template, SQL."""
    from dli.specs.validator import validate_dataset

    pairs = split_pairs(params)
    project = _project(path)
    values = _values(_spec(project, name), pairs)
    result = validate_dataset(project, name, parameters=values or None)
    for warning in result.warnings:
        note(f"Warning: {warning}")
    if not result.valid:
        message = f"{name} is not valid"
        raise DLIValidationError(message, ErrorCode.SPEC_INVALID, errors=result.errors)
    emit(f"{name} is valid.")
    if show_sql:
        _emit_sql(project, name, values)


def _emit_sql(project: Project, name: str, values: dict[str, Any]) -> None:
    """All statements as they would run today."""
    from dli.specs.dataset import render_dataset
    from dli.specs.template import RenderContext

    context = RenderContext(
        logical_date=datetime.now(UTC).date(),
        variables=project.variables,
        known_names=project.datasets(),
    )
    try:
        statements = render_dataset(project.bundle(name), context, values)
    except DLIValidationError as error:
        # Samples have stood in for what nobody gave; only real values can show the real SQL.
        if values or error.code is not ErrorCode.PARAMETER_INVALID:
            raise
        note(f"No SQL without its parameters: {error.message}")
        return
    for statement in statements:
        title = " ".join(filter(None, (statement.phase, statement.name)))
        emit(f"\n-- {title}\n{statement.sql}")


def _project(path: Path | None) -> Project:
    from dli.specs.project import Project

    return Project.open(required_root(path))


def _spec(project: Project, name: str) -> DatasetSpec:
    """Raises: DatasetNotFoundError (101) with the names that come close."""
    try:
        return project.dataset(name)
    except DatasetNotFoundError as error:
        if hint := suggestion(name, project.datasets()):
            error.add_note(hint.strip())
        raise


def _values(spec: DatasetSpec, pairs: dict[str, str]) -> dict[str, Any]:
    """Texts as the dataset declares them."""
    from dli.specs.parameter import parse_text

    return parse_text(spec.parameters, pairs)


def _record(spec: DatasetSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _schedule(spec: DatasetSpec) -> str:
    return f"{spec.schedule.cron} ({spec.schedule.timezone})" if spec.schedule else "on demand"


def _parameter(parameter: QueryParameter) -> str:
    default = "" if parameter.default is None else f", default {parameter.default}"
    need = "required" if parameter.required and not default else "optional"
    return f"{parameter.type.value}, {need}{default}"
