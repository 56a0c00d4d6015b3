"""Why Airflow could not be used, in the one form that the engine works with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dli.exceptions import ErrorCode, ServerError


class Reason(StrEnum):
    """The word that states, logs and metrics show."""

    UNREACHABLE = "engine_unreachable"
    FAILING = "engine_failing"
    AUTH = "engine_auth"
    PROTOCOL = "engine_protocol"
    REFUSED = "engine_refused"


@dataclass(eq=False, repr=False)
class AirflowError(ServerError):
    """Airflow did not do what it was asked; `details["retry_after"]` are seconds."""

    code: ErrorCode = ErrorCode.SERVER_EXECUTION
    reason: Reason = Reason.UNREACHABLE

    @property
    def retry_after_s(self) -> float | None:
        """How long Airflow itself asked to be left alone."""
        found = self.details.get("retry_after")
        return None if found is None else float(found)

    @property
    def note(self) -> str:
        """Reason and message in one line, as a waiting run shows them."""
        return f"{self.reason}: {self.message}"


def unreachable(message: str) -> AirflowError:
    return AirflowError(message, reason=Reason.UNREACHABLE)


def protocol_broken(message: str) -> AirflowError:
    return AirflowError(message, reason=Reason.PROTOCOL)
