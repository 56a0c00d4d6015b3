"""What the SQL of a spec reads and writes, and the graph that this makes of a project."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from dli.exceptions import DLIError
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.specs.column import column_sources
from dli.specs.lineage import Lineage, Member, member_of
from dli.specs.parameter import bind, samples
from dli.specs.project import Project
from dli.specs.sql import tables_read, tables_written
from dli.specs.statement import Slot, Statement, render_slot, slots
from dli.specs.template import RenderContext, builtin_values

__all__ = ["columns_made", "project_lineage", "sample_context", "sample_statements", "tables_of"]


def project_lineage(project: Project) -> Lineage:
    """The graph of all usable specs and sources of a project."""
    context = sample_context(project)
    specs: list[DatasetSpec | MetricSpec] = [*project.datasets().values()]
    specs += project.metrics().values()
    discovery = project.config.discovery
    folders = (discovery.datasets_dir, discovery.metrics_dir)
    return Lineage(
        [_in_project(project, spec, context) for spec in specs],
        [source.table for source in project.sources],
        [str(project.root / folder) for folder in folders],
    )


def _in_project(project: Project, spec: DatasetSpec | MetricSpec, context: RenderContext) -> Member:
    try:
        bundle = project.bundled(spec)
    except DLIError:
        return member_of(spec)  # `validate` tells what is wrong
    return member_of(bundle, *tables_of(bundle, sample_statements(bundle, context)))


def tables_of(
    spec: DatasetSpec | MetricSpec, statements: Sequence[tuple[Slot | Statement, str]]
) -> tuple[list[str], list[str]]:
    """Tables that the statements of a spec read and write."""
    reads: list[str] = []
    writes: list[str] = []
    dialect = spec.execution.dialect
    for slot, sql in statements:
        written = tables_written(sql, dialect)
        writes += written
        # What the main or a later statement has filled is a result, not a source.
        is_main = slot.phase == "main"
        reads += [name for name in tables_read(sql, dialect) if is_main or name not in writes]
    return reads, writes


def sample_context(project: Project) -> RenderContext:
    """Today, as templates of this project see it."""
    return RenderContext(
        logical_date=datetime.now(UTC).date(),
        variables=project.variables,
        known_names=project.names,
    )


def sample_statements(
    bundle: DatasetSpec | MetricSpec, context: RenderContext
) -> list[tuple[Slot, str]]:
    """Each statement as it looks in this context, with samples for what nobody gives.

    One that cannot be rendered is left out: `validate` tells what is wrong with it.
    """
    try:
        values = bind(bundle.parameters, samples(bundle.parameters), builtin_values(context))
    except DLIError:
        return []
    found = []
    for slot in slots(bundle):
        try:
            statement = render_slot(slot, context, values, {}, bundle.execution.dialect)
        except DLIError:
            continue
        found.append((slot, statement.sql))
    return found


def columns_made(
    spec: DatasetSpec | MetricSpec,
    statements: Sequence[tuple[Slot, str]],
    columns_of: Callable[[list[str]], Mapping[str, Sequence[str]]],
) -> dict[str, list[str]]:
    """For each column of a dataset or metric the `table.column` texts it is made from.

    `columns_of` gives the columns of those tables that are known.
    """
    main = next((sql for slot, sql in statements if slot.phase == "main"), None)
    if main is None:
        return {}
    dialect = spec.execution.dialect
    known = columns_of([*tables_read(main, dialect), spec.name])
    return column_sources(main, dialect, known, known.get(spec.name, ()))
