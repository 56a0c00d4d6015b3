"""Spans of this process for OpenTelemetry, where `OTEL_*` names an endpoint.

Elsewhere nothing is imported, and a span only passes on the place in a trace that it was given.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan

__all__ = ["Span", "endpoints_in", "flush", "set_up", "span", "well_formed"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_provider: TracerProvider | None = None
_here: ContextVar[str | None] = ContextVar("traceparent", default=None)


class Span:
    """What is measured now, or nothing."""

    def __init__(self, traceparent: str | None, inner: OtelSpan | None = None) -> None:
        self.traceparent = traceparent
        """Where it is in a trace, as the W3C writes it."""
        self._inner = inner

    def name(self, name: str) -> None:
        """Name it anew, once more is known."""
        if self._inner is not None:
            self._inner.update_name(name)

    def note(self, **facts: str | float | None) -> None:
        """Add attributes; `__` in a name stands for a dot. No SQL, no values, no secrets."""
        if self._inner is not None:
            self._inner.set_attributes(_attributes(facts))

    def fail(self, kind: str) -> None:
        """It did not go well: a code or the name of an error, never its text."""
        if self._inner is not None:
            from opentelemetry.trace import StatusCode

            self._inner.set_status(StatusCode.ERROR)
            self._inner.set_attribute("error.type", kind)


def endpoints_in(env: Mapping[str, str]) -> list[str]:
    """Where spans are to be sent; nowhere when the variables say so."""
    is_off = env.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if is_off or env.get("OTEL_TRACES_EXPORTER", "otlp") not in ("", "otlp"):
        return []
    return [env[name] for name in _ENDPOINTS if env.get(name)]


def set_up(service: str, env: Mapping[str, str], parent: str | None = None) -> str | None:
    """Begin to make spans if this is wanted; tells why there are none though they are.

    `parent` is where the process itself is in a trace.
    """
    global _provider  # noqa: PLW0603 - one for the process, as the variables are
    _here.set(parent)
    if _provider is not None or not endpoints_in(env):
        return None
    protocol = next((env[name] for name in _PROTOCOLS if env.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        return f"of the protocols only http/protobuf is spoken, not {protocol}"
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return "the extra `tracing` is not installed"
    named = {} if env.get("OTEL_SERVICE_NAME") else {"service.name": service}
    _provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(_exporter()))
    return None


def _exporter() -> SpanExporter:
    """Sends spans; of those that do not arrive it says so in words of ours.

    What the library tells names the whole address, and a token in it.
    """
    import logging

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    class Exporter(OTLPSpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS:
                logging.getLogger(__name__).warning("Spans could not be sent to their target.")
            return result

    return Exporter()


def flush(timeout_s: float) -> None:
    """Give spans so long to leave, whatever their target does."""
    if _provider is not None:
        import threading

        sender = threading.Thread(target=_provider.force_flush, name="spans", daemon=True)
        sender.start()
        sender.join(timeout_s)


def well_formed(traceparent: str | None) -> str | None:
    """A place in a trace as the W3C writes it; anything else counts as nothing."""
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None


@contextmanager
def span(
    name: str, *, parent: str | None = None, kind: str = "internal", **facts: str | float | None
) -> Iterator[Span]:
    """Measure the block below `parent`, or else below the span around it.

    `kind` is `internal`, `server`, `client` or `consumer`. An error that leaves the block marks it.
    """
    parent = parent or _here.get()
    if _provider is None:
        yield from _at(Span(parent))
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {} if parent is None else {"traceparent": parent}
    propagator = TraceContextTextMapPropagator()
    inner = _provider.get_tracer("dli").start_span(
        name,
        context=propagator.extract(carrier),
        kind=SpanKind[kind.upper()],
        attributes=_attributes(facts),
    )
    found = inner.get_span_context()
    here = Span(f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}", inner)
    try:
        yield from _at(here)
    except BaseException as error:
        code = getattr(error, "code", None)
        here.fail(str(getattr(code, "value", code) or type(error).__name__))
        raise
    finally:
        inner.end()


def _at(here: Span) -> Iterator[Span]:
    token = _here.set(here.traceparent)
    try:
        yield here
    finally:
        _here.reset(token)


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in facts.items() if value is not None}
