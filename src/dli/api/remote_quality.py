"""Quality tests of SERVER mode: those registered on the server, and runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from dli.api.remote import waiting_s
from dli.api.reply import error_of, record_of, records_of, unreadable
from dli.api.server import connect
from dli.models.cell import json_value
from dli.models.quality import DqQualityResult, QualityInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import ServerResponse
    from dli.models.common import ExecutionContext
    from dli.models.quality import QualitySpec

__all__ = ["RemoteQuality"]

_TIMEOUT_S = 3600
"""As long as a server lets the tests of a spec take."""

Model = TypeVar("Model", bound=BaseModel)


class RemoteQuality:
    """Every method raises ConfigurationError (001) without a server, ServerError (501-504)."""

    def __init__(self, context: ExecutionContext) -> None:
        self._context = context

    def qualities(self, target: str | None) -> list[QualityInfo]:
        """Registered tests of targets with this text in their name."""
        with connect(self._context) as client:
            answer = client.list_qualities(target=target)
        return [_read(QualityInfo, record, answer) for record in records_of(answer)]

    def quality(self, name: str) -> QualityInfo | None:
        """One test, `None` when nobody registered it."""
        with connect(self._context) as client:
            answer = client.get_quality(name)
        return None if answer.status_code == 404 else _read(QualityInfo, record_of(answer), answer)

    def history(self, name: str) -> list[dict[str, Any]]:
        """The last results of a test, newest first; none of one that nobody registered."""
        with connect(self._context) as client:
            answer = client.quality_history(name)
        return [] if answer.status_code == 404 else records_of(answer)

    def register(self, spec: QualitySpec, *, name: str, force: bool) -> None:
        """Raises: ServerError (409 without `force`)."""
        with connect(self._context) as client:
            record_of(client.register_quality(_sent(spec), name=name, force=force))

    def run(
        self,
        spec: QualitySpec,
        tests: Sequence[str],
        parameters: Mapping[str, Any],
        *,
        fail_fast: bool,
    ) -> DqQualityResult:
        """Raises what LOCAL mode raises for the same mistake."""
        with connect(self._context) as client:
            answer = client.run_quality(
                _sent(spec),
                list(tests),
                json_value(parameters),
                fail_fast,
                wait=waiting_s(_TIMEOUT_S),
            )
        if not answer.success:
            raise error_of(answer, name=spec.target_urn)
        return _read(DqQualityResult, record_of(answer), answer)


def _sent(spec: QualitySpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_none=True)


def _read(kind: type[Model], record: Mapping[str, Any], answer: ServerResponse) -> Model:
    try:
        return kind.model_validate(record)
    except ValueError as error:
        raise unreadable(answer) from error
