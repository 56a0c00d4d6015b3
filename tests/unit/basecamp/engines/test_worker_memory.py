"""What a real worker process does with a template that doubles a text until no memory is left."""

import queue
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.base import RunSpec
from basecamp.engines.embedded.link import WorkerLink

DOUBLING = (
    "{% set all = namespace(text='SELECT 1') %}"
    "{% for _ in range(60) %}{% set all.text = all.text ~ all.text %}{% endfor %}SELECT 1"
)


def question(number: int, spec: RunSpec) -> dict[str, Any]:
    arguments = {
        "bind": False,
        "spec": spec.content,
        "parameters": spec.parameters,
        "interval_start": spec.interval_start.isoformat(),
        "interval_end": spec.interval_end.isoformat(),
        "timezone": spec.timezone,
        "run_id": spec.run_id,
    }
    return {"op": "ask", "id": number, "subject": "dataset.check", "arguments": arguments}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dli.yaml").write_text("{}\n")
    (tmp_path / ".dli").mkdir()
    return tmp_path


def test_it_ends_and_is_told_apart_from_a_crash_of_another_kind(
    project: Path, content: dict[str, Any], clock: Any
) -> None:
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    link = WorkerLink(
        project, project / ".dli", (), lambda _, message: told.put(message), memory_mb=1024
    )
    spec = RunSpec({**content, "query_statement": DOUBLING}, {}, clock.now(), clock.now(), "UTC")
    link.send(question(7, spec))
    assert told.get(timeout=60) == {"op": "gone"}
    assert link.culprit == {"ask": 7}


def test_a_worker_that_is_killed_blames_nobody(
    project: Path, content: dict[str, Any], clock: Any
) -> None:
    told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    link = WorkerLink(
        project, project / ".dli", (), lambda _, message: told.put(message), memory_mb=1024
    )
    spec = RunSpec(content, {}, clock.now(), clock.now(), "UTC")
    link.send(question(7, spec))
    assert told.get(timeout=60)["result"] == {"statements": ["SELECT 1"]}
    link.kill()
    assert told.get(timeout=60) == {"op": "gone"}
    assert link.culprit is None
