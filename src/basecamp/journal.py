"""The log of every process of the server: one JSON line per event, with the ids it belongs to."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from dli.exceptions import DLIError

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that is being answered, or that a run was asked for by; part of every line."""
run_id: ContextVar[str | None] = ContextVar("run_id", default=None)
"""Id of the run that is being worked on."""

OURS = ("basecamp", "dli")
_IDS = {"request_id": request_id, "run_id": run_id}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One event, one line: texts of others cannot break out of it or steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        for name, variable in _IDS.items():
            if (current := variable.get()) is not None:
                line[name] = current
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=str).replace("\x7f", "\\u007f")


def describe(error: BaseException) -> list[dict[str, Any]]:
    """An error and its causes with their places, without texts of others: they may hold secrets."""
    found: list[dict[str, Any]] = []
    cause: BaseException | None = error
    while cause is not None and len(found) < 10:
        entry: dict[str, Any] = {"type": type(cause).__qualname__}
        if isinstance(cause, DLIError):
            entry |= {"code": cause.code.value, "message": cause.message}
        frames = traceback.extract_tb(cause.__traceback__)
        entry["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-15:]]
        found.append(entry)
        cause = cause.__cause__ or cause.__context__
    return found


def set_up_logging(level: str) -> None:
    """Send log records to stderr as JSON lines: ours from `level` on, warnings of libraries.

    What a library tells in detail may hold SQL, addresses and secrets.
    """
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[stderr], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)
