"""What the server tells about itself: JSON lines in the log, figures for Prometheus."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from dli.exceptions import DLIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that is being answered; part of every log line written meanwhile."""

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
        if (current := request_id.get()) is not None:
            line["request_id"] = current
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
    """Send every log record to stderr as JSON lines."""
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[stderr], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class Figures(NamedTuple):
    """What the state store counts."""

    runs: Mapping[tuple[str, str], int]
    """By status and kind."""
    missed_ticks: Mapping[str, int]
    """By reason."""


class Metrics:
    """The figures of one server; `read_store` is asked at each exposition."""

    def __init__(self, read_store: Callable[[], Figures]) -> None:
        cast("Callable[[], None]", disable_created_metrics)()
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "basecamp_http_request_duration_seconds",
            "Time from the head of a request to the end of its answer.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._auth_failures = Counter(
            "basecamp_auth_failures",
            "Requests without a valid token.",
            ("reason",),
            registry=self._registry,
        )
        self._throttled = Counter(
            "basecamp_requests_throttled",
            "Requests refused because their token asked too often.",
            ("limit",),
            registry=self._registry,
        )
        self._engine_errors = Counter(
            "basecamp_engine_errors",
            "Calls to the engine that failed.",
            ("code",),
            registry=self._registry,
        )
        self._registry.register(_StoreCollector(read_store))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request under the template of its route."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def count_auth_failure(self, reason: str) -> None:
        """Count a request refused for its token: `missing`, `wrong` or `limited`."""
        self._auth_failures.labels(reason).inc()

    def count_throttled(self, limit: str) -> None:
        """Count a request refused for coming too soon after others: `reads` or `changes`."""
        self._throttled.labels(limit).inc()

    def count_engine_error(self, code: str) -> None:
        """Count a call to the engine that failed, as `engine_unreachable` or what else it was."""
        self._engine_errors.labels(code).inc()

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)


class _StoreCollector(Collector):
    """Turns counts of the store into metrics."""

    def __init__(self, read_store: Callable[[], Figures]) -> None:
        self._read_store = read_store

    def describe(self) -> list[Metric]:
        return []  # else the registry would collect once at registration

    def collect(self) -> Iterator[Metric]:
        figures = self._read_store()
        ended = CounterMetricFamily("basecamp_runs", "Runs that ended.", labels=("state", "kind"))
        queue = GaugeMetricFamily("basecamp_queue_depth", "Runs not ended yet.", labels=("state",))
        depth = {"PENDING": 0, "RUNNING": 0}
        for (status, kind), count in sorted(figures.runs.items()):
            if status in depth:
                depth[status] += count
            else:
                ended.add_metric((status, kind), count)
        for status, count in depth.items():
            queue.add_metric((status,), count)
        missed = CounterMetricFamily(
            "basecamp_schedule_missed", "Ticks that did not become a run.", labels=("reason",)
        )
        for reason, count in sorted(figures.missed_ticks.items()):
            missed.add_metric((reason,), count)
        yield from (ended, queue, missed)
