"""The last results of quality tests, kept beside a project's warehouse."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from dli.config import make_private, state_dir
from dli.models.quality import QualityInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dli.models.quality import DqQualityResult, DqTestDefinitionSpec, QualitySpec

__all__ = ["Verdicts", "infos_of"]

_log = logging.getLogger(__name__)
_KEPT_RUNS = 20
_KEPT_KEYS = ("test_name", "test_type", "severity", "status", "failed_rows", "error_message")


class Verdicts:
    """One file per run, without samples: they may hold personal data."""

    def __init__(self, root: Path) -> None:
        self._folder = state_dir(root) / "quality"

    def keep(self, result: DqQualityResult) -> None:
        """Store a run and forget the oldest; a place that cannot be written is only logged."""
        folder = self._place(result.target_urn)
        record = {
            "finished_at": result.finished_at.isoformat(),
            "tests": [{key: one[key] for key in _KEPT_KEYS} for one in result.test_results],
        }
        moment = result.finished_at.strftime("%Y%m%dT%H%M%S.%f")
        try:
            make_private(folder)
            part = folder / f".{uuid4().hex}"
            part.write_text(json.dumps(record), encoding="utf-8")
            part.replace(folder / f"{moment}-{part.name[1:9]}.json")
            for old in sorted(folder.glob("*.json"))[:-_KEPT_RUNS]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("results are not kept: %s", error.strerror)

    def runs(self, target_urn: str) -> Iterator[dict[str, Any]]:
        """Kept runs of a target, newest first: `finished_at` and `tests`."""
        for file in sorted(self._place(target_urn).glob("*.json"), reverse=True):
            # One that another process removes meanwhile, or that is damaged, is passed over.
            with suppress(OSError, ValueError):
                yield json.loads(file.read_text(encoding="utf-8"))

    def history(self, target_urn: str, test_name: str) -> list[dict[str, Any]]:
        """Kept results of one test, newest first; those that were skipped say nothing."""
        return [
            {"finished_at": run["finished_at"], **test}
            for run in self.runs(target_urn)
            for test in run["tests"]
            if test["test_name"] == test_name and test["status"] != "skipped"
        ]

    def latest(self, target_urn: str) -> list[dict[str, Any]]:
        """The newest result of each test of a target, by name."""
        found: dict[str, dict[str, Any]] = {}
        for run in self.runs(target_urn):
            for test in run["tests"]:
                if test["status"] != "skipped":
                    found.setdefault(test["test_name"], {"finished_at": run["finished_at"], **test})
        return [found[name] for name in sorted(found)]

    def _place(self, target_urn: str) -> Path:
        return self._folder / quote(target_urn, safe=":")[:200]


def infos_of(spec: QualitySpec, verdicts: Verdicts) -> list[QualityInfo]:
    """The tests of a spec in their order, each with its newest result."""
    latest = {one["test_name"]: one for one in verdicts.latest(spec.target_urn)}
    return [_info(test, spec, latest.get(test.name, {})) for test in spec.tests]


def _info(test: DqTestDefinitionSpec, spec: QualitySpec, latest: Mapping[str, Any]) -> QualityInfo:
    return QualityInfo(
        name=test.name,
        target_urn=spec.target_urn,
        target_type=spec.target.type,
        target_name=spec.target.name,
        test_type=test.type.value,
        status="active" if test.enabled else "disabled",
        severity=test.severity,
        description=test.description,
        schedule=None if spec.schedule is None else spec.schedule.cron,
        last_run=latest.get("finished_at"),
        last_status=latest.get("status"),
    )
