"""Questions about datasets, and statements of their own, which are datasets without a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from basecamp.engines.embedded.job import Job
from dli.models.cell import json_value
from dli.models.dataset import DatasetSpec
from dli.models.instant import utc_now
from dli.specs.dataset import render_dataset
from dli.specs.gate import render_gate
from dli.specs.inline import INLINE, by_rules, inline_spec
from dli.specs.statement import main_sql
from dli.specs.substitution import Rules
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.limit import Limits
from dli.warehouse.report import Attempt
from dli.warehouse.result import (
    binding_result,
    dataset_failure,
    dataset_result,
    dataset_success,
    gated_result,
)
from dli.warehouse.trace import traced
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from basecamp.engines.embedded.desk import Desk
    from dli.models.common import DatasetResult
    from dli.models.execution import DatasetExecutionResult, ExecutionResult
    from dli.specs.gate import Gate
    from dli.specs.statement import Statement
    from dli.warehouse.trace import Trace


def check(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The SQL of a run; with `bind` each statement is also bound on the warehouse."""
    job = Job(desk, arguments, None, desk.rendering())
    return {"statements": job.check(bind=arguments["bind"])}


def run(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a dataset, or in a dry run bind it; phases `left_out` are not part of it."""
    spec = DatasetSpec.model_validate(arguments["spec"])
    context, parameters = desk.render_context(), arguments["parameters"]
    started_at = utc_now()
    with desk.rendering():
        rendered = render_dataset(spec, context, parameters)
        gate = render_gate(spec, context, parameters)
    statements = [one for one in rendered if one.phase not in arguments["left_out"]]
    sql = main_sql(statements)
    if arguments["dry_run"]:
        tests = gate.checked_statements() if gate else []
        result = _bound(desk, spec, [*statements, *tests], spec.name)
    else:
        work = partial(_run_told, desk, spec, statements, gate)
        result = gated_result(spec.name, started_at, work, sql)
    return result.model_dump(mode="json")


def run_sql(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run one statement; of a query also columns, and the first rows and their whole number."""
    dialect = arguments["dialect"] or desk.project().defaults.dialect
    parameters = arguments["parameters"]
    spec = inline_spec(arguments["sql"], parameters, dialect)
    with desk.rendering():
        statements = render_dataset(spec, desk.render_context(), parameters)
    if arguments["transpile"]:
        section = desk.project().config.transpile
        rules = Rules(rules=section.rules, metrics=section.metrics)
        statements = by_rules(statements, rules, dialect=dialect, strict=arguments["strict"])
    if arguments["dry_run"]:
        return {**_bound(desk, spec, statements, INLINE).model_dump(mode="json"), **_NO_ROWS}
    started_at = utc_now()
    outcome = _run(desk, spec, statements)
    result = dataset_result(INLINE, started_at, outcome, main_sql(statements))
    return {**result.model_dump(mode="json"), **_rows(outcome.main_result)}


def _run_told(
    desk: Desk, spec: DatasetSpec, statements: Sequence[Statement], gate: Gate | None
) -> DatasetExecutionResult:
    """Run a dataset and tell the lineage target."""
    with traced(desk.emitter(), spec, Attempt(str(uuid4()))) as trace:
        return _run(desk, spec, statements, gate, trace)


def _run(
    desk: Desk,
    spec: DatasetSpec,
    statements: Sequence[Statement],
    gate: Gate | None = None,
    trace: Trace | None = None,
) -> DatasetExecutionResult:
    with desk.session() as session:
        if trace is not None:
            trace.began(statements)
        result = run_statements(
            session,
            statements,
            dialect=spec.execution.dialect,
            dataset_name=spec.name,
            limits=Limits.of(spec.execution),
            gate=gate,
            verdicts=Verdicts(desk.project().root),
        )
        if trace is not None:
            trace.ended(session, result)
        return result


def _bound(
    desk: Desk, spec: DatasetSpec, statements: Sequence[Statement], name: str
) -> DatasetResult:
    started_at, sql = utc_now(), main_sql(statements)
    with desk.session() as session:
        bind = partial(check_statements, session, statements, dialect=spec.execution.dialect)
        errors = binding_result(bind).errors
    if errors:
        return dataset_failure(name, started_at, errors[0], sql)
    return dataset_success(name, started_at, sql)


def _rows(main: ExecutionResult | None) -> dict[str, Any]:
    if main is None or not main.columns:
        return _NO_ROWS
    data = json_value(main.data)
    return {"columns": main.columns, "data": data, "row_count": main.row_count}


_NO_ROWS: dict[str, Any] = {"columns": None, "data": None, "row_count": None}
