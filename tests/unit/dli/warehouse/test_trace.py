"""Events of lineage: what they say of a run, and that a target which is away never harms one."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dli.models.dataset import DatasetSpec
from dli.specs.dataset import render_dataset
from dli.specs.parser import dataset_from_mapping
from dli.specs.project import Project
from dli.specs.schedule import Interval
from dli.specs.template import RenderContext
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.emitter import Emitter, emitter_of
from dli.warehouse.report import Attempt
from dli.warehouse.trace import traced

Event = dict[str, Any]

TABLE = "iceberg.daily.pages"
DAY = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
ATTEMPT = Attempt("run-1", 2, DAY)
FLUSH_S = 60.0


def spec(**changes: Any) -> DatasetSpec:
    body = {
        "name": TABLE,
        "owner": "ann",
        "team": "web",
        "description": "Pages per day.",
        "parameters": [{"name": "page", "default": "secret"}],
        "pre_statements": [
            {"name": "t", "sql": f"CREATE TABLE IF NOT EXISTS {TABLE} (dt DATE, n BIGINT)"},
            {"name": "d", "sql": f"DELETE FROM {TABLE} WHERE dt = DATE '{{{{ ds }}}}'"},
        ],
        "query_statement": (
            f"INSERT INTO {TABLE} SELECT CAST(dt AS DATE), COUNT(page) FROM iceberg.raw.clicks "
            "WHERE CAST(dt AS DATE) = DATE '{{ ds }}' AND page <> '{{ page }}' GROUP BY 1"
        ),
        "post_statements": [
            {
                "name": "log",
                "sql": f"CREATE OR REPLACE TABLE iceberg.daily.log AS SELECT * FROM {TABLE}",
            }
        ],
        **changes,
    }
    return dataset_from_mapping(body)[0]


class Inbox:
    """A lineage server that keeps what it is sent, and answers when and as a test wants."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tokens: list[str | None] = []
        self.status = 201
        self.may_answer = threading.Event()
        self.may_answer.set()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                inbox.may_answer.wait(60)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.events.append(json.loads(body))
                inbox.tokens.append(self.headers.get("Authorization"))
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.fixture
def emitter(tmp_path: Path) -> Emitter:
    return Emitter("file:events.jsonl", "shop", api_key=None, root=tmp_path)


@pytest.fixture
def attempt(warehouse: DuckDBWarehouse) -> Callable[..., None]:
    def run(emitter: Emitter | None, spec: DatasetSpec, on_event: Any = None) -> None:
        context = RenderContext(DAY.start.date(), interval=DAY)
        with (
            traced(emitter, spec, ATTEMPT) as trace,
            warehouse.session() as session,
        ):
            statements = render_dataset(spec, context, {})
            trace.began(statements)
            result = run_statements(
                session,
                statements,
                dialect="trino",
                on_event=(lambda _: session.interrupt()) if on_event else None,
            )
            trace.ended(session, result)

    return run


Run = Callable[..., None]


def written(emitter: Emitter, root: Path) -> list[Event]:
    emitter.flush(FLUSH_S)
    return [json.loads(line) for line in (root / "events.jsonl").read_text().splitlines()]


def test_a_run_tells_its_start_and_its_end(attempt: Run, emitter: Emitter, tmp_path: Path) -> None:
    attempt(emitter, spec())
    start, end = written(emitter, tmp_path)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    for event in (start, end):
        assert event["job"]["namespace"] == "shop"
        assert event["job"]["name"] == TABLE
        assert [one["name"] for one in event["inputs"]] == ["iceberg.raw.clicks"]
        assert [one["name"] for one in event["outputs"]] == [TABLE, "iceberg.daily.log"]
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    facets = end["run"]["facets"]
    assert facets["nominalTime"]["nominalStartTime"] == "2026-01-01T00:00:00.000Z"
    tags = {tag["key"]: tag["value"] for tag in facets["tags"]["tags"]}
    assert tags == {"run_id": "run-1", "attempt": "2"}


def test_the_end_has_schemas_and_the_lineage_of_columns(
    attempt: Run, emitter: Emitter, tmp_path: Path
) -> None:
    attempt(emitter, spec())
    end = written(emitter, tmp_path)[-1]
    pages, log = end["outputs"]
    fields = pages["facets"]["schema"]["fields"]
    assert [(one["name"], one["type"]) for one in fields] == [("dt", "DATE"), ("n", "BIGINT")]
    found = {
        column: [
            (source["namespace"], source["name"], source["field"]) for source in made["inputFields"]
        ]
        for column, made in pages["facets"]["columnLineage"]["fields"].items()
    }
    assert found == {
        "dt": [("shop", "iceberg.raw.clicks", "dt")],
        "n": [("shop", "iceberg.raw.clicks", "page")],
    }
    assert pages["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert "columnLineage" not in log["facets"]
    (clicks,) = end["inputs"]
    assert [field["name"] for field in clicks["facets"]["schema"]["fields"]] == ["dt", "page"]


def test_the_sql_is_the_template_and_holds_no_values(
    attempt: Run, emitter: Emitter, tmp_path: Path
) -> None:
    attempt(emitter, spec())
    facets = written(emitter, tmp_path)[-1]["job"]["facets"]
    assert "{{ page }}" in facets["sql"]["query"]
    assert facets["documentation"]["description"] == "Pages per day."
    assert [owner["name"] for owner in facets["ownership"]["owners"]] == ["ann", "team:web"]
    assert "secret" not in (tmp_path / "events.jsonl").read_text()


def test_a_refused_statement_a_stop_and_a_template_that_fails_have_their_ends(
    attempt: Run, emitter: Emitter, tmp_path: Path
) -> None:
    attempt(emitter, spec(query_statement="SELECT * FROM iceberg.raw.nothing"))
    with pytest.raises(StatementInterruptedError):
        attempt(emitter, spec(), "stop")
    with pytest.raises(Exception, match="nothing"):
        attempt(emitter, spec(query_statement="SELECT '{{ nothing }}'"))
    events = written(emitter, tmp_path)
    kinds = [event["eventType"] for event in events]
    assert kinds == ["START", "FAIL", "START", "ABORT", "FAIL"]
    messages = [
        event["run"]["facets"]["errorMessage"]["message"]
        for event in events
        if event["eventType"] != "START"
    ]
    assert "does not exist" in messages[0]
    assert "nothing" in messages[2]
    assert [one["name"] for one in events[-1]["outputs"]] == [TABLE]


def test_a_server_gets_the_events_with_its_key(attempt: Run, inbox: Inbox, tmp_path: Path) -> None:
    emitter = Emitter(inbox.url, "shop", api_key="k-1", root=tmp_path)
    attempt(emitter, spec())
    emitter.flush(FLUSH_S)
    assert [event["eventType"] for event in inbox.events] == ["START", "COMPLETE"]
    assert inbox.tokens == ["Bearer k-1"] * 2


@pytest.mark.parametrize("fault", ["refuses", "silent", "absent"])
def test_a_dead_target_harms_no_run_and_is_told_once(
    attempt: Run, inbox: Inbox, tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = inbox.url
    if fault == "absent":
        inbox.close()
    inbox.status = 400
    if fault == "silent":
        inbox.may_answer.clear()
    emitter = Emitter(url, "shop", api_key=None, root=tmp_path)
    attempt(emitter, spec())  # returns although nobody has answered
    inbox.may_answer.set()
    emitter.flush(FLUSH_S)
    assert caplog.text.count("Events of lineage are not sent") == 1


def test_without_a_thread_that_keeps_up_events_are_dropped(
    attempt: Run, inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr("dli.warehouse.emitter._WAITING_MAX", 1)
    inbox.may_answer.clear()
    emitter = Emitter(inbox.url, "shop", api_key=None, root=tmp_path)
    for _ in range(3):
        attempt(emitter, spec())
    assert "events are dropped" in caplog.text


def test_without_its_library_a_target_harms_no_run(
    attempt: Run, emitter: Emitter, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.delitem(sys.modules, "dli.warehouse.openlineage", raising=False)
    monkeypatch.setitem(sys.modules, "openlineage.client", None)
    attempt(emitter, spec())
    emitter.flush(FLUSH_S)
    assert "dli[lineage] is not installed" in caplog.text


def test_the_target_is_a_setting_of_the_project(tmp_path: Path) -> None:
    def opened(text: str, **env: str) -> Emitter | None:
        (tmp_path / "dli.yaml").write_text(text)
        return emitter_of(Project.open(tmp_path, {"HOME": str(tmp_path), **env}))

    assert opened("") is None
    variable = "lineage: {url: '${OPENLINEAGE_URL:-}'}"
    assert opened(variable) is None
    assert opened(variable, OPENLINEAGE_URL="http://127.0.0.1:9") is not None
