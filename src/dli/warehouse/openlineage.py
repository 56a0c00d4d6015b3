"""Events of OpenLineage: what a run of a dataset read and wrote, in the words of that standard."""

from __future__ import annotations

import uuid
from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb
from openlineage.client import facet_v2
from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.serde import Serde

from dli import __version__
from dli.specs.footprint import footprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from openlineage.client.facet_v2 import DatasetFacet, JobFacet, RunFacet

    from dli.models.dataset import DatasetSpec
    from dli.models.lineage import LineageResult
    from dli.warehouse.report import Attempt, Report

__all__ = ["event_text", "job_event", "run_event"]

_BY_US: dict[str, Any] = {"producer": f"urn:dli:{__version__}"}
"""Of every event and facet; in parts of a form that type checkers do not know as an argument."""
_RUNS = uuid.UUID("6d1f0f6c-0b0e-5a58-9d0b-0d3a6f0c1d55")
"""The space of names in which the id of an attempt is made from that of its run."""


def event_text(event: RunEvent | JobEvent) -> str:
    """The event as one line of JSON."""
    return Serde.to_json(event)


def run_event(report: Report, namespace: str) -> RunEvent:
    known = {table: [c.name for c in found] for table, found in report.columns.items()}
    traces = footprint(report.spec, report.statements, known)
    return RunEvent(
        eventTime=_instant(report.at),
        **_BY_US,
        eventType=RunState[report.state],
        run=Run(_run_id(report.attempt, namespace), _run_facets(report)),
        job=Job(namespace, report.spec.name, _spec_facets(report.spec)),
        inputs=[
            InputDataset(namespace, table, facets=_schema(report, table)) for table in traces.inputs
        ],
        outputs=[
            _output(report, namespace, table, traces.columns if table == traces.filled else {})
            for table in traces.outputs
        ],
    )


def job_event(
    around: LineageResult, columns: Mapping[str, Sequence[str]], *, namespace: str, at: datetime
) -> JobEvent:
    """What the root of a graph reads and fills, as known without a run.

    `columns` have the `table.column` texts that each column of the root is made from.
    """
    root, edges = around.root, around.edges
    written = [edge.target for edge in edges if edge.source == root.name and edge.is_written]
    outputs = [OutputDataset(namespace, name) for name in written]
    if root.type == "Dataset":
        outputs.insert(0, OutputDataset(namespace, root.name, facets=_lineage(namespace, columns)))
    return JobEvent(
        eventTime=_instant(at),
        **_BY_US,
        job=Job(
            namespace, root.name, _job_facets(root.type, root.owner, root.team, root.description)
        ),
        inputs=[InputDataset(namespace, edge.source) for edge in edges if edge.target == root.name],
        outputs=outputs,
    )


def _run_id(attempt: Attempt, namespace: str) -> str:
    return str(uuid.uuid5(_RUNS, f"{namespace}/{attempt.run_id}/{attempt.number}"))


def _run_facets(report: Report) -> dict[str, RunFacet]:
    attempt = report.attempt
    tags = {"run_id": attempt.run_id, "attempt": str(attempt.number)}
    facets: dict[str, RunFacet] = {
        "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet(
            version=duckdb.__version__, name="DuckDB", **_BY_US
        ),
        "tags": facet_v2.tags_run.TagsRunFacet(
            [facet_v2.tags_run.TagsRunFacetFields(*tag, source="dli") for tag in tags.items()],
            **_BY_US,
        ),
    }
    if attempt.interval is not None:
        facets["nominalTime"] = facet_v2.nominal_time_run.NominalTimeRunFacet(
            _instant(attempt.interval.start), _instant(attempt.interval.end), **_BY_US
        )
    if report.error is not None:
        facets["errorMessage"] = facet_v2.error_message_run.ErrorMessageRunFacet(
            report.error, "SQL", **_BY_US
        )
    return facets


def _spec_facets(spec: DatasetSpec) -> dict[str, JobFacet]:
    """The SQL is the template: values of parameters stay out of it."""
    facets = _job_facets(spec.type.value, spec.owner, spec.team, spec.description)
    if spec.query_statement is not None:
        facets["sql"] = facet_v2.sql_job.SQLJobFacet(
            spec.query_statement, spec.execution.dialect, **_BY_US
        )
    return facets


def _job_facets(
    kind: str, owner: str | None, team: str | None, description: str | None
) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {
        "jobType": facet_v2.job_type_job.JobTypeJobFacet("BATCH", "DLI", kind.upper(), **_BY_US),
    }
    owners = [(owner, "OWNER"), (team and f"team:{team}", "TEAM")]
    if named := [facet_v2.ownership_job.Owner(name, role) for name, role in owners if name]:
        facets["ownership"] = facet_v2.ownership_job.OwnershipJobFacet(named, **_BY_US)
    if description:
        facets["documentation"] = facet_v2.documentation_job.DocumentationJobFacet(
            description, **_BY_US
        )
    return facets


def _schema(report: Report, table: str) -> dict[str, DatasetFacet]:
    columns = report.columns.get(table)
    if not columns:
        return {}
    kinds = facet_v2.schema_dataset
    fields = [kinds.SchemaDatasetFacetFields(c.name, c.data_type) for c in columns]
    return {"schema": kinds.SchemaDatasetFacet(fields, **_BY_US)}


def _output(
    report: Report, namespace: str, table: str, columns: Mapping[str, Sequence[str]]
) -> OutputDataset:
    facets = {**_schema(report, table), **_lineage(namespace, columns)}
    found = OutputDataset(namespace, table, facets=facets)
    if columns and report.row_count is not None:
        statistics = facet_v2.output_statistics_output_dataset
        found.outputFacets = {
            "outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(
                report.row_count, **_BY_US
            )
        }
    return found


def _lineage(namespace: str, columns: Mapping[str, Sequence[str]]) -> dict[str, DatasetFacet]:
    """`columns` have the `table.column` texts that each is made from."""
    if not columns:
        return {}
    kinds = facet_v2.column_lineage_dataset
    fields = {
        column: kinds.Fields(
            [
                kinds.InputField(namespace, table, name)
                for table, _, name in (source.rpartition(".") for source in sources)
            ]
        )
        for column, sources in columns.items()
        if sources
    }
    return {"columnLineage": kinds.ColumnLineageDatasetFacet(fields, **_BY_US)}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
