"""The example project from end to end: real data, real processes, the right numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dli.specs.project import Project
from dli.specs.validator import validate_dataset
from process import wait_for
from shell import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
DAILY = "flights.analytics.daily_flights"
DELAYS = "flights.analytics.airport_delays"
ROUTES = "flights.analytics.late_routes"
MONTHLY = "flights.reports.monthly_summary"


@pytest.fixture(scope="module")
def flights(open_shell: Callable[[Path], Shell]) -> Shell:
    """The example with its Basecamp running and all its datasets published."""
    shell = open_shell(EXAMPLE)
    shell.dli("up")
    shell.dli("workflow", "publish")
    return shell


def rows(shell: Shell, sql: str) -> list[tuple[Any, ...]]:
    """What any DuckDB client reads once the warehouse has let go of its file."""
    file = shell.directory / ".dli" / "warehouse" / "flights.duckdb"

    def read() -> list[tuple[Any, ...]] | None:
        try:
            with duckdb.connect(file, read_only=True) as reader:
                return reader.execute(sql).fetchall()
        except duckdb.IOException:
            return None

    return wait_for(read)


def source(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as db:
        db.execute(f"CREATE VIEW flights AS FROM '{EXAMPLE}/data/flights_2013.parquet'")
        return db.execute(sql).fetchall()


def test_every_dataset_is_valid_and_nothing_is_left_out() -> None:
    project = Project.open(EXAMPLE)
    assert project.problems == []
    assert set(project.datasets()) == {DAILY, DELAYS, ROUTES, MONTHLY}
    assert set(project.metrics()) == {"flights.analytics.punctuality"}
    for name in project.datasets():
        result = validate_dataset(project, name, strict=True, check_deps=True)
        assert (result.errors, result.warnings) == ([], [])


def test_published_workflows_have_their_schedules(flights: Shell) -> None:
    listed = {w["dataset_name"]: w for w in flights.json("workflow", "list", "--source", "code")}
    assert {name: (w["cron"], w["timezone"]) for name, w in listed.items()} == {
        DAILY: ("0 6 * * *", "America/New_York"),
        DELAYS: ("0 7 * * *", "America/New_York"),
        MONTHLY: ("0 8 1 * *", "Europe/Berlin"),
        ROUTES: ("", "UTC"),
    }


def test_backfills_along_the_chain_end_in_the_numbers_of_the_source(flights: Shell) -> None:
    month = ("--start", "2013-02-01", "--end", "2013-02-28", "--wait")
    for name in (DAILY, DELAYS, MONTHLY, DAILY):
        flights.dli("workflow", "backfill", name, *month)
    expected = source(
        "SELECT COUNT(*), COUNT(*) - COUNT(dep_time), ROUND(AVG(dep_delay), 6) FROM flights "
        "WHERE flight_date BETWEEN '2013-02-01' AND '2013-02-28' GROUP BY origin ORDER BY origin"
    )
    found = rows(
        flights,
        "SELECT s.flights, cancelled, ROUND(departure_delay, 6) FROM reports.monthly_summary s "
        "JOIN (SELECT DISTINCT airport, name FROM analytics.airport_delays) a "
        "ON a.name = s.airport ORDER BY a.airport",
    )
    assert found == expected
    assert rows(flights, "SELECT SUM(flights) FROM analytics.daily_flights") == rows(
        flights, "SELECT SUM(flights) FROM analytics.loads"
    )
    assert rows(flights, "SELECT COUNT(DISTINCT day) FROM analytics.loads") == [(28,)]


def test_declared_parameters_reach_the_sql(flights: Shell) -> None:
    given = ("-p", "execution_date=2013-03-08", "-p", "origin=JFK", "-p", "top=4")
    run = flights.json("workflow", "run", ROUTES, *given, "--wait")
    assert run["parameters"] == {"execution_date": "2013-03-08", "origin": "JFK", "top": 4}
    expected = source(
        "SELECT dest, MAX(dep_delay) FROM flights WHERE flight_date = '2013-03-08' "
        "AND origin = 'JFK' GROUP BY dest ORDER BY 2 DESC, dest LIMIT 4"
    )
    assert expected == rows(
        flights,
        "SELECT destination, worst_delay FROM analytics.late_routes "
        "WHERE day = '2013-03-08' ORDER BY 2 DESC, 1",
    )


def test_code_hides_a_manual_workflow_and_gives_it_back(flights: Shell) -> None:
    def states() -> list[tuple[str, str]]:
        found = flights.json("workflow", "list", "--dataset", ROUTES)
        return sorted((w["source_type"], w["status"]) for w in found)

    spec = flights.directory / "datasets" / f"dataset.{ROUTES}.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.unlink()
    flights.dli("workflow", "publish")
    assert states() == []
    spec.write_text(text, encoding="utf-8")
    flights.dli("workflow", "register", ROUTES, "--cron", "0 5 * * *")
    flights.dli("workflow", "pause", ROUTES, "--reason", "not yet")
    assert states() == [("manual", "paused")]
    flights.dli("workflow", "publish")
    assert states() == [("code", "active"), ("manual", "overridden")]
    refused = flights.run("dli", "workflow", "register", ROUTES, "--cron", "0 5 * * *", "--force")
    assert (refused.returncode, refused.stderr.startswith("Error [DLI-803]")) == (1, True)
    spec.unlink()
    flights.dli("workflow", "publish")
    assert states() == [("manual", "paused")]
    spec.write_text(text, encoding="utf-8")
    flights.dli("workflow", "unregister", ROUTES)
    flights.dli("workflow", "publish")
