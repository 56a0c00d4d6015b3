"""Questions that callers ask of a worker process, until each is answered or given up."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from basecamp.engines.base import CheckResult
from dli.exceptions import DLIError, ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from basecamp.engines.base import RunSpec

Message = dict[str, Any]
_CHECK_TIMEOUT_S = 30.0
GREED = "template: it needs more memory than a worker may use (BASECAMP_WORKER_MEMORY_MB)"


@dataclass(eq=False)
class _Question:
    """`writes` names the dataset whose table it changes; nothing else may do so meanwhile."""

    message: Message
    writes: str | None
    answer: Future[Message] = field(default_factory=Future)
    is_sent: bool = False
    given_up_at: float | None = None


class Questions:
    """What is asked of one worker; used by many threads.

    `on_change` is called, from any thread and without a lock, when `due` may have something new.
    """

    def __init__(
        self, on_change: Callable[[], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_change = on_change
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._open: dict[int, _Question] = {}
        self._has_freed = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    def ask(
        self,
        subject: str,
        arguments: Mapping[str, Any],
        *,
        timeout_s: float,
        writes: str | None = None,
        withdrawn: Future[None] | None = None,
    ) -> dict[str, Any]:
        """What the worker answers, as `basecamp.engines.base.Engine.ask` promises it."""
        number = next(self._numbers)
        message = {"op": "ask", "id": number, "subject": subject, "arguments": dict(arguments)}
        question = _Question(message, writes)
        with self._lock:
            if self._is_closed:
                raise _lost()
            self._open[number] = question
        self._on_change()
        if withdrawn is not None:
            withdrawn.add_done_callback(lambda _: question.answer.cancel())
        try:
            return _result(question.answer.result(timeout_s))
        except FutureTimeoutError as exc:
            raise _unavailable("The engine did not answer in time.") from exc
        except CancelledError as exc:
            raise _unavailable("Nobody waits for the answer any more.") from exc
        finally:
            self._give_up(number)

    @property
    def written(self) -> set[str]:
        """Datasets that questions change, or will as soon as it is their turn."""
        with self._lock:
            return {one.writes for one in self._open.values() if one.writes is not None}

    def due(self, running: Collection[str]) -> list[Message]:
        """Messages that the worker is to get now, each once; `running` are datasets at work."""
        with self._lock:
            busy = {one.writes for one in self._open.values() if one.is_sent} | set(running)
            found: list[Message] = []
            for question in self._open.values():
                if question.is_sent:
                    if question.given_up_at is not None and question.message["op"] == "ask":
                        question.message = {"op": "withdraw", "id": question.message["id"]}
                        found.append(question.message)
                elif question.writes is None or question.writes not in busy:
                    question.is_sent = True
                    busy.add(question.writes)
                    found.append(question.message)
            return found

    @property
    def withdrawn_since(self) -> float | None:
        """When the worker was first told to let go of something that it still has in hand."""
        with self._lock:
            times = (one.given_up_at for one in self._open.values())
            return min((at for at in times if at is not None), default=None)

    def is_stuck(self, now: float, patience_s: float) -> bool:
        """Whether the worker has not let go in time; only its end helps."""
        since = self.withdrawn_since
        return since is not None and now >= since + patience_s

    def has_freed(self) -> bool:
        """Whether a dataset may have become free since this was asked the last time."""
        with self._lock:
            has_freed, self._has_freed = self._has_freed, False
        return has_freed

    def settle(self, message: Message) -> None:
        """Take the worker's answer."""
        with self._lock:
            question = self._removed(message["id"])
        if question is not None:
            _answer(question, message)
            if question.writes is not None:
                self._on_change()

    def lose(self, culprit: Message | None = None) -> None:
        """The worker has ended; `culprit` is the work whose template took all its memory."""
        with self._lock:
            lost = {number: one for number, one in self._open.items() if one.is_sent}
            for number in lost:
                self._removed(number)
        for number, question in lost.items():
            if culprit == {"ask": number}:
                code = ErrorCode.SPEC_INVALID.value
                _answer(question, {"ok": False, "code": code, "message": GREED})
            else:
                _answer(question, _lost())
        self._on_change()

    def close(self) -> None:
        """Refuse all that is open, and all that comes."""
        with self._lock:
            self._is_closed = True
            unanswered = list(self._open.values())
            self._open.clear()
        for question in unanswered:
            _answer(question, _lost())

    def _give_up(self, number: int) -> None:
        """Nobody waits any more. What the worker has in hand still counts until it lets go."""
        with self._lock:
            question = self._open.get(number)
            if question is None:
                return
            question.given_up_at = self._monotonic()
            if not question.is_sent:
                self._removed(number)
        self._on_change()

    def _removed(self, number: int) -> _Question | None:
        question = self._open.pop(number, None)
        if question is not None and question.writes is not None:
            self._has_freed = True
        return question


class Asked(Protocol):
    """What answers questions."""

    def ask(
        self, subject: str, arguments: Mapping[str, Any], *, timeout_s: float
    ) -> dict[str, Any]: ...


def checked(engine: Asked, spec: RunSpec, *, bind: bool) -> CheckResult:
    """What a worker finds about a spec; with `bind` also on the warehouse.

    Raises:
        ServerError: the engine does not answer (DLI-504).
    """
    arguments = {
        "bind": bind,
        "spec": spec.content,
        "parameters": spec.parameters,
        "interval_start": spec.interval_start.isoformat(),
        "interval_end": spec.interval_end.isoformat(),
        "timezone": spec.timezone,
        "run_id": spec.run_id,
    }
    try:
        found = engine.ask("dataset.check", arguments, timeout_s=_CHECK_TIMEOUT_S)
    except ServerError:
        raise
    except DLIError as exc:
        return CheckResult(ok=False, code=exc.code.value, message=exc.message)
    return CheckResult(ok=True, statements=found["statements"])


def _answer(question: _Question, how: Message | ServerError) -> None:
    with suppress(InvalidStateError):  # its caller has given up at this very moment
        if isinstance(how, ServerError):
            question.answer.set_exception(how)
        else:
            question.answer.set_result(how)


def _result(message: Message) -> dict[str, Any]:
    if message["ok"]:
        result: dict[str, Any] = message["result"]
        return result
    code = ErrorCode(message.get("code") or ErrorCode.EXECUTION_FAILED)
    raise DLIError(message["message"], code=code)


def _lost() -> ServerError:
    return _unavailable("The engine's worker ended.")


def _unavailable(text: str) -> ServerError:
    return ServerError(text, code=ErrorCode.SERVER_EXECUTION)
