"""People hear how runs end on the embedded engine, at once and without harm to any run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answer import record
from inbox import Inbox, opened_inbox
from process import Server, wait_for


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with opened_inbox() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path, inbox: Inbox) -> Iterator[Server]:
    (tmp_path / "dli.yaml").write_text("project: {name: told}\n")
    started = Server(tmp_path, {"DLI_NOTIFY_PAGER": f"{inbox.url}/{{channel}}"})
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def spec(name: str, sql: str) -> dict[str, Any]:
    targets = {
        "on_failure": [{"type": "pager", "channel": "ops"}, {"type": "dove", "channel": "roof"}],
        "on_success": [{"type": "pager", "channel": "ana"}],
    }
    schedule = {"cron": "0 0 1 1 *", "notifications": targets}
    own = {"name": name, "owner": "ana", "team": "t", "query_statement": sql}
    return {**own, "schedule": schedule, "execution": {"dialect": "duckdb"}}


def test_success_and_failure_are_told_to_whom_the_spec_names(server: Server, inbox: Inbox) -> None:
    client = server.client()
    specs = [spec("a.good.one", "SELECT 1"), spec("a.bad.one", "SELECT nope")]
    assert client.workflow_publish(specs).success
    ids = {
        name: record(client.workflow_run(name, {}))["run_id"]
        for name in ("a.good.one", "a.bad.one")
    }
    wait_for(lambda: len(inbox.messages) == 2)
    told = {path: (body["title"], body["message"]) for path, body in inbox.messages}
    title, text = told["/ana"]
    assert (title, text[: len(f"Run {ids['a.good.one']}.")]) == (
        "a.good.one completed",
        f"Run {ids['a.good.one']}.",
    )
    title, text = told["/ops"]
    assert title == "a.bad.one failed"
    assert text.startswith(f"Run {ids['a.bad.one']}. DLI-405: ")
    found = record(client.workflow_status(ids["a.good.one"]))
    assert found["status"] == "COMPLETED"
