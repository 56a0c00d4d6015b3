"""One HTTP exchange with Airflow: token, timeouts, size limit, retries, and faults by name."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from basecamp.engines.airflow.fault import AirflowError, Reason, protocol_broken, unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

    from basecamp.clock import Clock
    from basecamp.engines.airflow.circuit import Circuit

BODY_LIMIT_BYTES = 1024 * 1024
LINES = "application/x-ndjson"
_CONNECT_S = 3.0
_TOTAL_S = 7.0
_CHUNK_BYTES = 64 * 1024
_ANSWERS = frozenset({200, 201, 204, 400, 404, 409, 422})
"""Statuses that a caller interprets; every other one is a fault."""
_OVERLOADED = frozenset({408, 425, 429, 503})


class TooLargeError(AirflowError):
    """The answer is larger than Basecamp reads; asking for less may help."""


@dataclass(frozen=True)
class Access:
    """Where Airflow is, and as whom to speak to it."""

    url: str
    username: str = ""
    password: str = ""
    token: str = ""


@dataclass(frozen=True)
class Ask:
    """One question. An answer that `is_cut` ends with its last whole line below the limit."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    accept: str = "application/json"
    is_cut: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True)
class Answer:
    """Status, decoded body (of lines: a list) and Airflow's own clock."""

    status: int
    body: Any
    at: datetime | None


class Connection:
    """A pool of connections to one Airflow; used by many threads."""

    def __init__(self, access: Access, circuit: Circuit, clock: Clock) -> None:
        self._access = access
        self._circuit = circuit
        self._clock = clock
        self._pool = PoolManager(maxsize=16, retries=False)
        self._base = access.url.rstrip("/")
        self._token = access.token
        self._token_lock = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Begin no exchange any more; one that is under way ends by itself."""
        self._is_closed = True
        self._pool.clear()

    def call(self, ask: Ask, *, attempts: int = 1) -> Answer:
        """Ask and read the answer; every call of ours may be repeated without harm.

        Raises:
            AirflowError: no answer that means something; the circuit knows.
        """
        for attempt in Retrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            retry=retry_if_exception(self._is_worth_another_try),
            reraise=True,
        ):
            with attempt:
                return self._call_once(ask)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _is_worth_another_try(self, error: BaseException) -> bool:
        return (
            isinstance(error, AirflowError)
            and error.reason in (Reason.UNREACHABLE, Reason.FAILING)
            and error.retry_after_s is None
            and not self._is_closed
        )

    def _call_once(self, ask: Ask) -> Answer:
        if self._is_closed:
            raise unreachable("Basecamp is about to end.")
        self._circuit.admit()
        try:
            answer = self._ask_with_token(ask)
        except TooLargeError:
            self._circuit.succeeded()
            raise
        except AirflowError as fault:
            self._circuit.failed(fault)
            raise
        except BaseException:
            self._circuit.failed(unreachable("A call to Airflow was cut short."))
            raise
        self._circuit.succeeded()
        return answer

    def _ask_with_token(self, ask: Ask) -> Answer:
        token = self._token or self._fetch_token("")
        try:
            return self._exchange(ask, token)
        except AirflowError as fault:
            if fault.status_code != 401 or self._access.token:
                raise
        return self._exchange(ask, self._fetch_token(token))

    def _fetch_token(self, refused: str) -> str:
        """A token that is not the refused one; one thread fetches, the others take its result."""
        with self._token_lock:
            if self._token != refused:
                return self._token
            account = {"username": self._access.username, "password": self._access.password}
            answer = self._exchange(Ask("POST", "/auth/token", account), None)
            token = answer.body.get("access_token") if isinstance(answer.body, dict) else None
            if answer.status in (400, 404, 422):
                raise _auth(answer.status)
            if not isinstance(token, str) or not token:
                raise protocol_broken("Airflow gave no token.")
            self._token = token
            return token

    def _exchange(self, ask: Ask, token: str | None) -> Answer:
        headers = {"Accept": ask.accept, "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        timeout_s = ask.timeout_s or _TOTAL_S
        deadline = self._clock.monotonic() + timeout_s
        try:
            response = self._pool.request(
                ask.method,
                self._base + ask.path,
                body=None if ask.body is None else json.dumps(ask.body).encode(),
                headers=headers,
                timeout=Timeout(connect=min(_CONNECT_S, timeout_s), total=timeout_s),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (HTTPError, OSError) as exc:
            raise unreachable("Airflow does not answer.") from exc
        try:
            return self._read(ask, response, deadline)
        finally:
            if response.length_remaining == 0:
                response.release_conn()
            else:
                response.close()

    def _read(self, ask: Ask, response: BaseHTTPResponse, deadline: float) -> Answer:
        status = response.status
        if status not in _ANSWERS:
            raise _fault_of(status, response.headers.get("Retry-After"))
        data = self._data(response, deadline, is_cut=ask.is_cut)
        at = _instant(response.headers.get("Date"))
        if status == 204:
            return Answer(status, None, at)
        try:
            if ask.accept == LINES and status == 200:
                return Answer(status, [json.loads(line) for line in data.splitlines()], at)
            return Answer(status, json.loads(data), at)
        except (ValueError, RecursionError) as exc:
            raise protocol_broken("Airflow's answer is no JSON.") from exc

    def _data(self, response: BaseHTTPResponse, deadline: float, *, is_cut: bool) -> bytes:
        data = bytearray()
        try:
            while chunk := response.read1(_CHUNK_BYTES):
                data += chunk
                if len(data) > BODY_LIMIT_BYTES:
                    if is_cut:
                        return bytes(data[: data.rfind(b"\n") + 1])
                    raise TooLargeError(
                        "Airflow's answer is larger than 1 MiB.", reason=Reason.PROTOCOL
                    )
                if self._clock.monotonic() > deadline:
                    raise unreachable("Airflow answers too slowly.")
        except (HTTPError, OSError) as exc:
            raise unreachable("Airflow broke off its answer.") from exc
        return bytes(data)


def _fault_of(status: int, retry_after: str | None) -> AirflowError:
    if status in (401, 403):
        return _auth(status)
    if status in _OVERLOADED or status >= 500:
        wish = _seconds(retry_after)
        return AirflowError(
            f"Airflow answers with HTTP {status}.",
            details={} if wish is None else {"retry_after": wish},
            reason=Reason.FAILING,
        )
    return protocol_broken(f"Airflow answers with HTTP {status}, which has no meaning here.")


def _auth(status: int) -> AirflowError:
    return AirflowError(
        f"Airflow refuses Basecamp's account (HTTP {status}).",
        status_code=status,
        reason=Reason.AUTH,
    )


def _seconds(retry_after: str | None) -> int | None:
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return int(retry_after[:9])
    at = _instant(retry_after)
    return None if at is None else max(0, round((at - datetime.now(UTC)).total_seconds()))


def _instant(text: str | None) -> datetime | None:
    """An instant in the form of HTTP headers."""
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
