"""The audit trail over HTTP and at the command line, and what damage to it shows."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from basecamp.routes import record
from basecamp.store import audit
from dli.main import app

PATH = "/api/v1/audit"
NAME = "shop.sales.daily"
COPY = """
INSERT INTO audit (id, at, actor, action, resource, detail, hash)
SELECT 99, at, actor, action, resource, detail, hash FROM audit WHERE id = 1
"""


@pytest.fixture
def busy(site: Any) -> Any:
    """A server on which a workflow was registered, run and stopped."""
    assert site.register().status == 201
    run_id = site.start_run()
    assert site.post(f"/api/v1/workflows/runs/{run_id}/stop", {"reason": "late"}).status == 200
    return site


def actions(answer: Any) -> list[str]:
    return [entry["action"] for entry in answer.body["entries"]]


def chain(site: Any, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = site.get(f"{PATH}/chain?{asked}" if asked else f"{PATH}/chain")
    record.AuditChainRecord.model_validate_json(answer.text)
    return dict(answer.body)


def tamper(site: Any, statement: str) -> None:
    with site.basecamp.database.transaction() as tx:
        assert tx.execute(text(statement)).rowcount == 1


def dli(site: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("DLI_SERVER_URL", f"http://127.0.0.1:{site.port}")
    monkeypatch.setenv("DLI_API_TOKEN", site.basecamp.token)
    return CliRunner().invoke(app, ["audit", *words])  # type: ignore[arg-type]


def test_entries_tell_who_changed_what(busy: Any) -> None:
    answer = busy.get(PATH)
    record.AuditPage.model_validate_json(answer.text)
    assert actions(answer) == ["audit.read", "run.stop", "run.start", "workflow.register"]
    stopped = answer.body["entries"][1]
    assert (stopped["actor"], stopped["reason"]) == ("local", "late")
    assert stopped["request_id"]
    oldest = busy.get(f"{PATH}?order=oldest&limit=2&offset=1")
    assert actions(oldest) == ["run.start", "run.stop"]
    assert (oldest.body["total_count"], oldest.body["next_offset"]) == (4, 3)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=local", 4),
        ("actor=nobody", 0),
        ("action=run.start", 1),
        (f"resource={NAME}&order=oldest", 2),
        ("since=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z", 4),
        ("since=2100-01-01T00:00:00Z", 0),
        ("until=2000-01-01T00:00:00Z", 0),
    ],
)
def test_every_filter_narrows_the_trail(busy: Any, query: str, count: int) -> None:
    assert busy.get(f"{PATH}?{query}").body["total_count"] == count


@pytest.mark.parametrize(
    "query", ["?order=up", "?since=monday", "?limit=0", "?who=me", "/chain?head=abc"]
)
def test_what_cannot_be_meant_is_refused(busy: Any, query: str) -> None:
    answer = busy.get(f"{PATH}{query}")
    assert answer.status in (400, 422)
    assert answer.body["code"] in ("DLI-201", "DLI-204")


def test_a_whole_chain_has_the_heads_it_had(busy: Any) -> None:
    first = chain(busy)
    assert (first["ok"], first["entries"], first["broken_id"]) == (True, 4, None)
    later = chain(busy, head=first["head"])
    assert (later["ok"], later["entries"], later["is_head_known"]) == (True, 5, True)
    assert later["head"] != first["head"]


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("UPDATE audit SET actor = 'somebody' WHERE id = 2", 2),
        ("UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE id = 2", 2),
        ("UPDATE audit SET reason = NULL WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        (COPY, 99),
    ],
)
def test_a_changed_entry_breaks_the_chain(busy: Any, damage: str, broken: int) -> None:
    tamper(busy, damage)
    found = chain(busy)
    assert (found["ok"], found["broken_id"]) == (False, broken)


def test_a_head_that_was_cut_off_is_missed(busy: Any) -> None:
    with busy.basecamp.database.read() as tx:
        head = audit.walk(tx).head
    tamper(busy, "DELETE FROM audit WHERE id = 3")
    assert chain(busy)["ok"]  # the rest is a whole chain
    found = chain(busy, head=head)
    assert (found["ok"], found["is_head_known"], found["broken_id"]) == (False, False, None)


def test_the_command_lists_and_exports(busy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    since = ("--since", "2000-01-01", "--until", "2100-01-01T00:00:00+09:00")
    listed = dli(busy, monkeypatch, "list", "--resource", NAME, "--actor", "local", *since)
    assert listed.exit_code == 0
    assert [line.split()[2] for line in listed.stdout.splitlines()[1:]] == [
        "run.start",
        "workflow.register",
    ]
    one = ("--resource", NAME, "--actor", "local", "--action", "run.start")
    assert len(dli(busy, monkeypatch, "list", *one).stdout.splitlines()) == 2
    assert len(dli(busy, monkeypatch, "export", *one, *since).stdout.splitlines()) == 1
    exported = dli(busy, monkeypatch, "export")
    entries = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [entry["action"] for entry in entries][:3] == [
        "workflow.register",
        "run.start",
        "run.stop",
    ]
    assert all(len(entry["hash"]) == 64 for entry in entries)
    as_json = dli(busy, monkeypatch, "list", "--format", "json", "-n", "1")
    assert [entry["action"] for entry in json.loads(as_json.stdout)] == ["audit.read"]


def test_the_page_does_what_it_says(busy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    with busy.basecamp.database.read() as tx:
        head = audit.walk(tx).head
    lines = re.findall(r"^dli audit (.*)$", page, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        done = dli(busy, monkeypatch, *shlex.split(line.replace("HEAD", head)))
        assert done.exit_code == 0, f"{line}\n{done.output}"


def test_the_command_tells_whether_the_trail_is_whole(
    busy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = dli(busy, monkeypatch, "verify")
    assert (good.exit_code, "is whole" in good.stdout) == (0, True)
    head = good.stdout.split()[-1]
    assert dli(busy, monkeypatch, "verify", "--head", head).exit_code == 0
    typo = dli(busy, monkeypatch, "verify", "--head", head[:-1])
    assert (typo.exit_code, "64 hexadecimal digits" in typo.stderr) == (1, True)
    missed = dli(busy, monkeypatch, "verify", "--head", "0" * 63 + "1")
    assert (missed.exit_code, "no such head" in missed.stderr) == (1, True)
    tamper(busy, "UPDATE audit SET resource = 'other' WHERE id = 1")
    broken = dli(busy, monkeypatch, "verify", "--format", "json")
    assert (broken.exit_code, json.loads(broken.stdout)["broken_id"]) == (1, 1)
    assert dli(busy, monkeypatch, "list", "--since", "soon").exit_code == 1
