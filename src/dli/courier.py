"""A process that carries messages to people: what a receiver does to it harms nobody else.

It may connect only to where the settings lead, follows no redirect, has little memory and is ended
when a receiver keeps it waiting.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Self

from dli.outgoing import VARIABLE, Destinations, proxies_in, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = ["Courier", "Parcel"]

_TIMEOUT_S = 30.0
_START_S = 120.0
_MEMORY_BYTES = 1024 * 1024 * 1024
"""Of addresses, most of them never used; what a receiver may answer is far below."""

Parcel = dict[str, str]
"""`url` of Apprise, `title`, `body`, `kind`; `template` is the setting that made the URL."""


class Courier:
    """Started for its first parcel and again after it had to be ended; one parcel at a time."""

    def __init__(self, env: Mapping[str, str], timeout_s: float = _TIMEOUT_S) -> None:
        self._env = dict(env)
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._is_recalled = False

    def carry(self, parcel: Parcel) -> str | None:
        """Bring one parcel; None when it was taken, else why it was not."""
        process = self._process or self._started()
        if self._is_recalled:
            process.kill()
        answer = _within(self._timeout_s, process, partial(_asked, parcel))
        if answer is not None:
            return answer or None
        self.close()
        return "the receiver kept us waiting, or sent too much"

    def recall(self) -> None:
        """Have it drop what it carries, and carry nothing more; for another thread to call."""
        self._is_recalled = True
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """Send it home."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dli.courier"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what plugins write there may hold their addresses
            env=_harmless(os.environ) | _harmless(self._env),
            text=True,
        )
        _within(_START_S, self._process, _line_of)  # what it loads takes its time on a busy machine
        return self._process


def _harmless(env: Mapping[str, str]) -> dict[str, str]:
    """Without what holds secrets that are none of the courier's business."""
    own = ("DLI_", "BASECAMP_", "AWS_", "AIRFLOW_", "PG")
    return {
        name: value for name, value in env.items() if name == VARIABLE or not name.startswith(own)
    }


def _within(
    timeout_s: float,
    process: subprocess.Popen[str],
    asked: Callable[[subprocess.Popen[str]], str | None],
) -> str | None:
    overdue = threading.Timer(timeout_s, process.kill)
    overdue.start()
    try:
        return asked(process)
    finally:
        overdue.cancel()


def _asked(parcel: Parcel, process: subprocess.Popen[str]) -> str | None:
    """What the process answers; None when it ended without an answer."""
    if process.stdin is None:
        raise AssertionError
    try:
        process.stdin.write(json.dumps(parcel) + "\n")
        process.stdin.flush()
    except OSError:
        return None
    return _line_of(process)


def _line_of(process: subprocess.Popen[str]) -> str | None:
    if process.stdout is None:
        raise AssertionError
    line = process.stdout.readline()
    return str(json.loads(line)) if line.endswith("\n") else None


def main(parcels: IO[str], answers: IO[str]) -> None:
    """Bring parcels until there are no more."""
    with suppress(OSError, ValueError):  # where the system or its owner has other limits
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    apprise = _apprise()
    destinations = Destinations()
    watch(lambda: destinations)
    _tell(answers, "ready")
    for line in parcels:
        parcel = json.loads(line)
        named = [parcel["template"], *proxies_in(os.environ)]
        destinations = Destinations.named_in(named, os.environ.get(VARIABLE, ""))
        try:
            why = _sent(apprise, parcel)
        except Exception as exc:  # noqa: BLE001 - whatever a plugin raises, it is not sent
            why = type(exc).__name__
        _tell(answers, why or "")


def _tell(answers: IO[str], text: str) -> None:
    answers.write(json.dumps(text) + "\n")
    answers.flush()


def _apprise() -> Any:
    try:
        import apprise
    except ImportError:
        return None
    logging.disable()
    apprise.Apprise().add("json://127.0.0.1")  # loads what it knows of services
    return apprise


def _sent(apprise: Any, parcel: Parcel) -> str | None:
    if apprise is None:
        return "the package apprise is not installed here: dli[notify]"
    sender = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
    if not sender.add(parcel["url"]):
        return "Apprise does not know this kind of address"
    kind = apprise.NotifyType(parcel["kind"])
    if not sender.notify(title=parcel["title"], body=parcel["body"], notify_type=kind):
        return "the message was not taken"
    return None


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
