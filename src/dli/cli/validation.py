"""`validate` of `dli dataset` and `dli metric`: one spec, or every one of the project."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import click

from dli.cli.completion import spec_name
from dli.cli.connection import required_root
from dli.cli.option import format_option, param_option, path_option, split_pairs
from dli.cli.output import emit, emit_json, note
from dli.cli.spec import find, open_project, read_parameters
from dli.exceptions import DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.cli.spec import Noun
    from dli.models.common import ValidationResult
    from dli.specs.project import Project
    from dli.specs.statement import Statement

__all__ = ["validate_command"]


def validate_command(noun: Noun) -> click.Command:
    @click.command(
        "validate", help=f"Look for every problem of a {noun}: spec, parameters, template, SQL."
    )
    @click.argument("name", required=False, type=spec_name(noun))
    @click.option("--all", "is_all", is_flag=True, help="Check every one of the project.")
    @param_option()
    @click.option("--strict", is_flag=True, help="Warnings are errors.")
    @click.option("--check-deps", is_flag=True, help="Every name in depends_on must be there.")
    @click.option(
        "--show-sql/--no-sql", default=True, show_default=True, help="Show the SQL as it runs."
    )
    @format_option("-f")
    @path_option()
    def command(
        *,
        name: str | None,
        is_all: bool,
        params: Sequence[str],
        strict: bool,
        check_deps: bool,
        show_sql: bool,
        format: str,
        path: Path | None,
    ) -> None:
        root = required_root(path)
        if is_all == (name is not None):
            raise click.UsageError("Give a NAME or --all.")
        checks = {"strict": strict, "check_deps": check_deps}
        if name is not None:
            pairs = split_pairs(params)
            project = open_project(path)
            _check_one(project, noun, name, pairs, show_sql=show_sql, format=format, **checks)
        elif params:
            raise click.UsageError("--param belongs to one NAME.")
        else:
            _check_all(root, noun, format=format, **checks)

    return command


def _check_one(
    project: Project,
    noun: Noun,
    name: str,
    pairs: dict[str, str],
    *,
    show_sql: bool,
    format: str,
    **checks: bool,
) -> None:
    values = read_parameters(find(project, noun, name), pairs)
    result = _checked(project, noun, name, values or None, **checks)
    statements = _rendered(project, noun, name, values) if show_sql and result.valid else []
    if format == "json":
        shown = [{"phase": one.phase, "name": one.name, "sql": one.sql} for one in statements]
        emit_json({"name": name, **result.model_dump(mode="json"), "statements": shown})
    else:
        _note_warnings(result.warnings, is_strict=checks["strict"])
    if not result.valid:
        message = f"{name} is not valid"
        raise DLIValidationError(message, ErrorCode.SPEC_INVALID, errors=result.errors)
    if format == "table":
        emit(f"{name} is valid.")
        for statement in statements:
            title = " ".join(filter(None, (statement.phase, statement.name)))
            emit(f"\n-- {title}\n{statement.sql}")


def _check_all(root: Path, noun: Noun, *, strict: bool, check_deps: bool, format: str) -> None:
    """Files that are left out count, whatever they were to be."""
    from dli.specs.validation import validate_project

    kind: Literal["Dataset", "Metric"] = "Dataset" if noun == "dataset" else "Metric"
    found = validate_project(root, kind, check_deps=check_deps)
    wrong = {one.name: one.errors + (one.warnings if strict else []) for one in found.specs}
    if format == "json":
        warnings = {one.name: one.warnings for one in found.specs}
        specs = [
            {"name": name, "valid": not errors, "errors": errors, "warnings": warnings[name]}
            for name, errors in wrong.items()
        ]
        emit_json({"specs": specs, "left_out": found.problems})
    else:
        for one in found.specs:
            _note_warnings(one.warnings, is_strict=strict)
    if errors := [*found.problems, *chain.from_iterable(wrong.values())]:
        bad = sum(map(bool, wrong.values()))
        counts = (
            f"{bad} of {len(found.specs)} {noun}s are not valid, {len(found.problems)} left out"
        )
        raise DLIValidationError(counts, ErrorCode.SPEC_INVALID, errors=errors)
    if format == "table":
        emit(f"All {len(found.specs)} {noun}s are valid.")


def _checked(
    project: Project, noun: Noun, name: str, values: dict[str, Any] | None, **checks: bool
) -> ValidationResult:
    from dli.specs.validator import validate_dataset, validate_metric

    check = validate_dataset if noun == "dataset" else validate_metric
    return check(project, name, parameters=values, **checks)


def _note_warnings(warnings: Sequence[str], *, is_strict: bool) -> None:
    for warning in () if is_strict else warnings:
        note(f"Warning: {warning}")


def _rendered(project: Project, noun: Noun, name: str, values: dict[str, Any]) -> list[Statement]:
    """All statements as they would run today."""
    from dli.specs.statement import render_spec
    from dli.specs.template import RenderContext

    context = RenderContext(
        logical_date=datetime.now(UTC).date(),
        variables=project.variables,
        known_names=project.names,
    )
    try:
        return render_spec(project.bundled(find(project, noun, name)), context, values)
    except DLIValidationError as error:
        # Samples have stood in for what nobody gave; only real values can show the real SQL.
        if values or error.code is not ErrorCode.PARAMETER_INVALID:
            raise
        note(f"No SQL without its parameters: {error.message}")
        return []
