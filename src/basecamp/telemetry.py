"""What the server tells about itself in figures, for Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from dli import __version__
from dli.exceptions import DLIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

_RUN_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400)
_DELAY_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600)


class Figures(NamedTuple):
    """What the state store counts."""

    runs: Mapping[tuple[str, str], int]
    """By status and kind."""
    missed_ticks: Mapping[str, int]
    """By reason."""


class Vitals(NamedTuple):
    """What a server knows of itself, whether or not its store answers."""

    parts: Mapping[str, bool]
    """Whether each part can do its work."""
    is_leader: bool
    tick_age_s: float | None = None
    """How long ago the scheduler looked at its clock."""
    store_busy_count: int = 0


class Metrics:
    """The figures of one server; `read_store` and `read_vitals` are asked at each exposition."""

    def __init__(
        self,
        read_store: Callable[[], Figures],
        read_vitals: Callable[[], Vitals] | None = None,
    ) -> None:
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
        self._messages = self._counter("messages", "Attempts to tell people.", "outcome")
        self._expired = Counter(
            "basecamp_expired",
            "What was let go of for its age.",
            ("what",),
            registry=self._registry,
        )
        self._run_duration = Histogram(
            "basecamp_run_duration_seconds",
            "Time from the first attempt of a run to its end.",
            ("state", "kind"),
            buckets=_RUN_BUCKETS_S,
            registry=self._registry,
        )
        self._schedule_delay = Histogram(
            "basecamp_schedule_delay_seconds",
            "Time from the fire of a schedule to the first attempt of its run.",
            buckets=_DELAY_BUCKETS_S,
            registry=self._registry,
        )
        Gauge("basecamp_build_info", "Always 1.", ("version",), registry=self._registry).labels(
            __version__
        ).set(1)
        ProcessCollector(registry=self._registry)
        self._registry.register(_Collected(lambda: _store_families(read_store)))
        if read_vitals is not None:
            self._registry.register(_Collected(lambda: _vital_families(read_vitals())))

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

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(f"basecamp_{name}", text, (label,), registry=self._registry)

    def count_message(self, outcome: str) -> None:
        """Count an attempt to send a message: `sent`, `failed` or `given_up`."""
        self._messages.labels(outcome).inc()

    def count_expired(self, what: str, count: int) -> None:
        """So many `runs`, `backfills`, `answers` or `logs` are not kept any more."""
        self._expired.labels(what).inc(count)

    def observe_run(self, state: str, kind: str, seconds: float) -> None:
        """A run has ended after so long."""
        self._run_duration.labels(state, kind).observe(max(0.0, seconds))

    def observe_delay(self, seconds: float) -> None:
        """The run of a schedule has begun so long after its fire."""
        self._schedule_delay.observe(max(0.0, seconds))

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)


class _Collected(Collector):
    """Metrics that are made at each exposition."""

    def __init__(self, families: Callable[[], Iterator[Metric]]) -> None:
        self._families = families

    def describe(self) -> list[Metric]:
        return []  # else the registry would collect once at registration

    def collect(self) -> Iterator[Metric]:
        yield from self._families()


def _store_families(read_store: Callable[[], Figures]) -> Iterator[Metric]:
    try:
        figures = read_store()
    except DLIError:
        return  # `basecamp_part_ok` tells it; the other figures are needed now more than ever
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


def _vital_families(vitals: Vitals) -> Iterator[Metric]:
    parts = GaugeMetricFamily(
        "basecamp_part_ok", "1 while a part can do its work, 0 when not.", labels=("part",)
    )
    for part, is_ok in vitals.parts.items():
        parts.add_metric((part,), float(is_ok))
    yield parts
    yield GaugeMetricFamily(
        "basecamp_leader", "1 on the server that schedules.", float(vitals.is_leader)
    )
    yield CounterMetricFamily(
        "basecamp_store_busy", "Waits for the state store in vain.", vitals.store_busy_count
    )
    if vitals.tick_age_s is not None:
        yield GaugeMetricFamily(
            "basecamp_scheduler_last_tick_timestamp_seconds",
            "When the scheduler last looked at its clock.",
            time.time() - vitals.tick_age_s,
        )
