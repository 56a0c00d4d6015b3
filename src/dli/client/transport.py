"""Sending one request over HTTP and turning whatever comes back into a `ServerResponse`.

Never raises for what the network or the server does. Redirects are not followed, certificates are
checked, and one deadline covers connecting, sending, reading and all tries of a call.
"""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import chain
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dli.client.deadline import Deadline, timed_response
from dli.client.message import Answer, encode, read
from dli.client.response import refusal
from dli.exceptions import ConfigurationError, ErrorCode
from dli.span import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from dli.client.message import WireRequest
    from dli.client.response import Request, ServerConfig, ServerResponse
    from dli.span import Span

__all__ = ["HttpTransport"]

BODY_LIMIT_BYTES = 32 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
TRIES = 3

# UnicodeError: a host name that cannot be looked up.
_NETWORK_ERRORS = (OSError, HTTPException, UnicodeError)


class HttpTransport:
    """One kept connection to one server; for one thread at a time."""

    def __init__(
        self,
        config: ServerConfig,
        *,
        sleep: Callable[[float], None] = time.sleep,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
    ) -> None:
        self._config = config
        self._sleep = sleep
        self._body_limit_bytes = body_limit_bytes
        self._connection: HTTPConnection | None = None

    def __del__(self) -> None:
        self.close()  # an API object has no close of its own

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, request: Request) -> ServerResponse:
        """Send, and send again with the same `Idempotency-Key` where that may help."""
        try:
            message = encode(request, self._config)
        except ConfigurationError as error:
            return refusal(503, ErrorCode.CONFIG_INVALID.value, error.message)
        except (TypeError, ValueError, RecursionError):
            text = "The request holds a value that JSON cannot carry, or a name that a URL cannot"
            return refusal(422, ErrorCode.PARAMETER_INVALID.value, text)
        deadline = Deadline(self._config.timeout + request.wait_s)
        began = time.monotonic()
        with span(request.method, kind="client", http__request__method=request.method) as here:
            if here.traceparent is not None:
                message.headers["traceparent"] = here.traceparent
            answer = self._once(message, deadline)
            if answer.is_repeatable:
                answer = self._again(answer, message, deadline)
            _note(here, answer.response, message.headers["X-Request-Id"])
        _tell(message, answer.response, time.monotonic() - began)
        return answer.response

    def _again(self, first: Answer, message: WireRequest, deadline: Deadline) -> Answer:
        # Imported late: most calls succeed at once and need none of it.
        from tenacity import Retrying, retry_if_result, wait_exponential, wait_random

        growing = wait_exponential(multiplier=0.2, exp_base=3, max=5) + wait_random(0, 0.2)

        def wait_s(state: RetryCallState) -> float:
            return max(growing(state), _outcome(state).retry_after_s or 0.0)

        def is_over(state: RetryCallState) -> bool:
            return state.attempt_number >= TRIES or state.upcoming_sleep >= deadline.left_s()

        answers = chain([first], iter(lambda: self._once(message, deadline), None))
        retrying = Retrying(
            sleep=self._sleep,
            wait=wait_s,
            stop=is_over,
            retry=retry_if_result(lambda answer: answer.is_repeatable),
            retry_error_callback=_outcome,
        )
        answer: Answer = retrying(lambda: next(answers))
        return answer

    def _once(self, message: WireRequest, deadline: Deadline) -> Answer:
        is_reused = self._connection is not None
        try:
            try:
                return self._exchange(message, deadline)
            except (ConnectionError, HTTPException):
                # A kept connection that the server closed meanwhile says nothing about the server.
                if not is_reused:
                    raise
                self.close()
                return self._exchange(message, deadline)
        except TimeoutError:
            self.close()
            text = f"No answer from {self._host()} in time; the outcome is unknown"
            return Answer(refusal(504, ErrorCode.TIMEOUT.value, text))
        except _NETWORK_ERRORS as error:
            self.close()
            text = f"No connection to {self._host()}: {_reason(error)}"
            is_trusted = not isinstance(error, SSLCertVerificationError)
            response = refusal(503, ErrorCode.SERVER_UNREACHABLE.value, text)
            return Answer(response, is_repeatable=is_trusted)

    def _exchange(self, message: WireRequest, deadline: Deadline) -> Answer:
        connection = self._connect(deadline)
        connection.request(
            message.method, message.target, body=message.body, headers=message.headers
        )
        with connection.getresponse() as response:
            content = response.read(self._body_limit_bytes + 1)
            is_cut_off = not response.isclosed() and response.length is not None
        if len(content) > self._body_limit_bytes:
            self.close()
            text = f"The answer is larger than {self._body_limit_bytes} bytes"
            return Answer(refusal(502, ErrorCode.SERVER_ERROR.value, text))
        if is_cut_off:
            text = "the answer was cut off"
            raise ConnectionError(text)
        if response.will_close:
            self.close()
        return read(response.status, response.headers, content)

    def _connect(self, deadline: Deadline) -> HTTPConnection:
        """The kept connection or a new one, bound to the deadline of this call."""
        connection = self._connection
        if connection is None:
            parts = urlsplit(self._config.url)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            timeout_s = min(CONNECT_TIMEOUT_S, deadline.limit_s())
            connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
            try:
                connection.connect()
            except TimeoutError as error:
                # Nothing was sent, so this is no doubt about the outcome.
                text = "nobody answered"
                raise ConnectionError(text) from error
            self._connection = connection
        connection.sock.settimeout(deadline.limit_s())
        connection.response_class = timed_response(deadline)
        return connection

    def _host(self) -> str:
        return urlsplit(self._config.url).netloc


def _note(here: Span, response: ServerResponse, request_id: str) -> None:
    here.note(http__response__status_code=response.status_code, dli__request_id=request_id)
    if not response.success:
        here.fail(response.code or str(response.status_code))


def _tell(message: WireRequest, response: ServerResponse, duration_s: float) -> None:
    """One line of log, where somebody logs: to import logging takes 10 ms that few calls need."""
    if (logging := sys.modules.get("logging")) is not None:
        path, _, _ = message.target.partition("?")
        words = message.method, path, response.status_code, duration_s * 1000
        request_id = message.headers["X-Request-Id"]
        log = logging.getLogger(__name__)
        log.debug("%s %s: %d in %.0f ms, request %s", *words, request_id)


def _outcome(state: RetryCallState) -> Answer:
    if state.outcome is None:
        raise AssertionError
    answer: Answer = state.outcome.result()
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ConnectionRefusedError):
        return "refused; is the server running?"
    return str(error) or type(error).__name__
