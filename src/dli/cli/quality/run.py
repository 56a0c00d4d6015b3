"""`dli quality run`: tests as a table, as JSON, and as reports for machines and people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dli.cli.connection import is_mock
from dli.cli.context import execution_context
from dli.cli.option import format_option, named_parameters, path_option, split_pairs
from dli.cli.output import emit, emit_json, emit_table, note
from dli.exceptions import ErrorCode, ExecutionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.models.quality import DqQualityResult

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("spec_path")
@click.option(
    "--mode",
    "-m",
    type=click.Choice(["local", "server", "mock"]),
    help="Where the tests run; default: DLI_EXECUTION_MODE, else local.",
)
@click.option("--test", "-t", "tests", multiple=True, help="Only this test; repeatable.")
@click.option("--fail-fast", is_flag=True, help="Skip what comes after the first failure.")
@click.option(
    "--param", "-P", "params", multiple=True, metavar="KEY=VALUE", help="Parameter; repeatable."
)
@click.option("--samples", is_flag=True, help="Show failing rows.")
@click.option("--junit", type=_FILE, help="Write a JUnit report to this file.")
@click.option("--html", type=_FILE, help="Write a page to this file.")
@format_option("-f")
@path_option("-p")
def run(
    *,
    spec_path: str,
    mode: str | None,
    tests: Sequence[str],
    fail_fast: bool,
    params: Sequence[str],
    samples: bool,
    junit: Path | None,
    html: Path | None,
    format: str,
    path: Path | None,
) -> None:
    """Run the tests of a quality file; exit code 1 when one fails or cannot run."""
    from dli.api.quality import QualityAPI
    from dli.specs.parameter_text import guess

    pairs = split_pairs(params)
    context = execution_context(path, mode)
    if mode == "mock" and not is_mock():
        note("MOCK: every test passes; nothing is run.")
    with named_parameters(pairs):
        result = QualityAPI(context).run(
            spec_path,
            tests=list(tests) or None,
            parameters={key: guess(text) for key, text in pairs.items()},
            fail_fast=fail_fast,
        )
    _write_reports(result, junit, html)
    if format == "json":
        emit_json(_record(result))
    else:
        _emit(result, with_samples=samples)
    if result.failed_count:
        count = len(result.test_results)
        message = f"{result.failed_count} of {count} tests of {result.target_urn} did not pass"
        error = ExecutionError(message, ErrorCode.QUALITY_TEST_EXECUTION)
        error.add_note("Look at their failing rows with --samples.")
        raise error


def _write_reports(result: DqQualityResult, junit: Path | None, html: Path | None) -> None:
    if junit is None and html is None:
        return
    from dli.cli.quality.report import html_page, junit_report, write

    if junit is not None:
        write(junit, junit_report(result))
    if html is not None:
        write(html, html_page(result))


def _record(result: DqQualityResult) -> dict[str, Any]:
    record: dict[str, Any] = result.model_dump(mode="json")
    counts = {"passed_count": result.passed_count, "failed_count": result.failed_count}
    return {**record, "status": result.status.value, **counts, "duration_ms": result.duration_ms}


def _emit(result: DqQualityResult, *, with_samples: bool) -> None:
    rows = [
        (
            entry["test_name"],
            entry["test_type"],
            entry["severity"],
            entry["status"],
            entry["failed_rows"],
            f"{entry['execution_time_ms']} ms",
        )
        for entry in result.test_results
    ]
    if rows:
        emit_table(("TEST", "TYPE", "SEVERITY", "STATUS", "FAILED ROWS", "TIME"), rows)
    else:
        note("No tests.")
    for entry in result.test_results:
        if entry["error_message"]:
            note(f"{entry['test_name']}: {entry['error_message']}")
        if with_samples and entry["failed_samples"]:
            from dli.cli.row import emit_rows

            emit(f"\n{entry['test_name']}")
            emit_rows(list(entry["failed_samples"][0]), entry["failed_samples"], "table")
