"""What a check asks of a worker process, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.engines.base import CheckResult

if TYPE_CHECKING:
    from basecamp.engines.base import RunSpec

TIMEOUT_S = 30.0


def question(number: int, spec: RunSpec, *, bind: bool) -> dict[str, Any]:
    """The message that asks a worker for a check."""
    return {
        "op": "check",
        "id": number,
        "bind": bind,
        "spec": spec.content,
        "parameters": spec.parameters,
        "interval_start": spec.interval_start.isoformat(),
        "interval_end": spec.interval_end.isoformat(),
        "timezone": spec.timezone,
        "run_id": spec.run_id,
    }


def result_of(message: dict[str, Any]) -> CheckResult:
    """What a worker's answer says."""
    return CheckResult(
        ok=message["ok"],
        statements=message.get("statements", []),
        code=message.get("code"),
        message=message.get("message"),
    )
