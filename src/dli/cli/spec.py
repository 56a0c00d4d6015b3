"""What `dli dataset` and `dli metric` have in common: finding, listing and showing specs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from dli.cli.completion import spec_name
from dli.cli.connection import is_mock, required_root
from dli.cli.errors import suggestion
from dli.cli.option import format_option, path_option
from dli.cli.output import emit_fields, emit_json, emit_table, note
from dli.exceptions import (
    DatasetNotFoundError,
    MetricNotFoundError,
)
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI
    from dli.models.dataset import DatasetSpec
    from dli.models.metric import MetricSpec
    from dli.models.spec import QueryParameter
    from dli.specs.project import Project

__all__ = [
    "Noun",
    "find",
    "get_command",
    "list_command",
    "open_project",
    "read_parameters",
    "spec_to_run",
]

Noun = Literal["dataset", "metric"]


def list_command(noun: Noun) -> click.Command:
    @click.command("list", help=f"List the {noun}s of the project.")
    @_source_option()
    @click.option(
        "--tag", "-t", "tags", multiple=True, help="Only those with this tag; repeatable."
    )
    @click.option("--owner", "-o", help="Only those of this owner.")
    @click.option("--search", help="Only those with this text in name or description.")
    @format_option("-f")
    @path_option("-p")
    def command(
        *,
        source: str,
        tags: Sequence[str],
        owner: str | None,
        search: str | None,
        format: str,
        path: Path | None,
    ) -> None:
        specs, problems = _listed(noun, source, path)
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
            last = "SCHEDULE" if noun == "dataset" else "METRICS"
            rows = [(s.name, s.owner, s.team, _feature(s), ", ".join(s.tags)) for s in specs]
            emit_table((noun.upper(), "OWNER", "TEAM", last, "TAGS"), rows)
        else:
            note(f"No {noun} found.")
        for problem in problems:
            note(f"Left out: {problem}")

    return command


def get_command(noun: Noun) -> click.Command:
    @click.command("get", help=f"Show one {noun}.")
    @click.argument("name", type=spec_name(noun))
    @_source_option()
    @format_option("-f")
    @path_option("-p")
    def command(*, name: str, source: str, format: str, path: Path | None) -> None:
        if source == "server" or is_mock():
            spec = next((one for one in _listed(noun, source, path)[0] if one.name == name), None)
            if spec is None:
                raise _unknown(noun, name)
        else:
            spec = find(open_project(path), noun, name)
        if format == "json":
            emit_json(_record(spec))
        else:
            emit_fields({key: value for key, value in _fields(spec).items() if value})

    return command


def open_project(path: Path | None) -> Project:
    from dli.specs.project import Project

    return Project.open(required_root(path))


def find(project: Project, noun: Noun, name: str) -> DatasetSpec | MetricSpec:
    """Raises: DatasetNotFoundError (101), MetricNotFoundError (102), with the close names."""
    try:
        return project.dataset(name) if noun == "dataset" else project.metric(name)
    except (DatasetNotFoundError, MetricNotFoundError) as error:
        known = project.datasets() if noun == "dataset" else project.metrics()
        if hint := suggestion(name, known):
            error.add_note(hint.strip())
        raise


def spec_to_run(
    api: DatasetAPI | MetricAPI, noun: Noun, name: str, path: Path | None
) -> DatasetSpec | MetricSpec:
    """What a run uses: the project's spec, on a server the registered one.

    Raises: DatasetNotFoundError (101), MetricNotFoundError (102).
    """
    if api.context.execution_mode is ExecutionMode.SERVER:
        return api.get_registered(name)
    return find(open_project(path), noun, name)


def read_parameters(spec: DatasetSpec | MetricSpec, pairs: dict[str, str]) -> dict[str, Any]:
    """Texts as the spec declares them."""
    from dli.specs.parameter import parse_text

    return parse_text(spec.parameters, pairs)


def _source_option() -> Callable[[Any], Any]:
    return click.option(
        "--source",
        "-s",
        type=click.Choice(["local", "server"]),
        default="local",
        show_default=True,
        help="The project's files, or what is registered on the server.",
    )


def _listed(
    noun: Noun, source: str, path: Path | None
) -> tuple[Sequence[DatasetSpec | MetricSpec], Sequence[object]]:
    """The specs, and why others are left out."""
    if source == "local" and not is_mock():
        project = open_project(path)
        found = project.datasets() if noun == "dataset" else project.metrics()
        return list(found.values()), project.problems
    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI
    from dli.cli.context import execution_context

    context = execution_context(path)
    from_server: Literal["local", "server"] = "server" if source == "server" else "local"
    if noun == "dataset":
        return DatasetAPI(context).list_datasets(source=from_server), ()
    return MetricAPI(context).list_metrics(source=from_server), ()


def _unknown(noun: Noun, name: str) -> DatasetNotFoundError | MetricNotFoundError:
    kind = DatasetNotFoundError if noun == "dataset" else MetricNotFoundError
    return kind(f"{noun.capitalize()} not found", name=name)


def _record(spec: DatasetSpec | MetricSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _fields(spec: DatasetSpec | MetricSpec) -> dict[str, object]:
    fields: dict[str, object] = {
        key: getattr(spec, key) for key in ("name", "owner", "team", "description")
    }
    fields["schedule" if spec.type.value == "Dataset" else "metrics"] = _feature(spec)
    fields["dimensions"] = ", ".join(one.name for one in getattr(spec, "dimensions", ()))
    fields |= {"tags": ", ".join(spec.tags), "depends_on": ", ".join(spec.depends_on)}
    return fields | {f"parameter {p.name}": _parameter(p) for p in spec.parameters}


def _feature(spec: DatasetSpec | MetricSpec) -> str:
    """The schedule of a dataset, the measures of a metric."""
    from dli.models.metric import MetricSpec

    if isinstance(spec, MetricSpec):
        return ", ".join(one.name for one in spec.metrics)
    return f"{spec.schedule.cron} ({spec.schedule.timezone})" if spec.schedule else "on demand"


def _parameter(parameter: QueryParameter) -> str:
    default = "" if parameter.default is None else f", default {parameter.default}"
    need = "required" if parameter.required and not default else "optional"
    return f"{parameter.type.value}, {need}{default}"
