"""A server as a process: socket, announcement, signals, end."""

from __future__ import annotations

import gc
import json
import os
import secrets
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import uvicorn

from basecamp.app import Basecamp, create_app
from basecamp.protocol import PunctualProtocol
from dli import __version__
from dli.exceptions import ConfigurationError
from dli.outgoing import watch

if TYPE_CHECKING:
    from pathlib import Path

    from basecamp.settings import Settings

_BACKLOG = 2048
_DRAIN_SECONDS = 2
"""Requests may take so long to end; the engine's own share follows, 10 s in all."""


class Announcement:
    """The file that tells a project's users where its server is, while it is ready."""

    def __init__(self, path: Path, url: str, token: str) -> None:
        self._path = path
        self._state = {"url": url, "token": token, "pid": os.getpid(), "version": __version__}
        self._is_withdrawn = False
        self._lock = threading.Lock()

    def publish(self) -> None:
        """Write the file, whole and for its owner only, unless it was withdrawn."""
        started_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        fresh = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
        with self._lock:
            if self._is_withdrawn:
                return
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({**self._state, "started_at": started_at}, file)
            fresh.replace(self._path)
        # The log goes to stderr; this line is for whoever sits at the terminal.
        print("Basecamp runs at {url} (pid {pid}).".format(**self._state), flush=True)  # noqa: T201

    def withdraw(self) -> None:
        """Remove the file, for good."""
        with self._lock:
            self._is_withdrawn = True
            self._path.unlink(missing_ok=True)


class Server(uvicorn.Server):
    """Serves one Basecamp."""

    def __init__(self, basecamp: Basecamp, announcement: Announcement) -> None:
        config = uvicorn.Config(
            create_app(basecamp),
            http=PunctualProtocol,
            loop="asyncio",
            ws="none",
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        super().__init__(config)
        self._basecamp = basecamp
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what is there now stays: to look through it holds every request up for 0.1 s
        self._basecamp.start(self._announcement.publish)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._announcement.withdraw()
        self._basecamp.retire()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConfigurationError: the address cannot be used (DLI-001).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches off Nagle, which costs 40 ms per kept connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise ConfigurationError(f"Cannot listen on port {port}: {exc.strerror}.") from exc
    return listener


def serve(settings: Settings) -> None:
    """Run a server until a signal ends it.

    Raises:
        ConfigurationError: it cannot start; nothing was changed.
    """
    os.umask(0o077)
    destinations = settings.destinations
    watch(lambda: destinations)
    # Until the server listens: what has been started by then is stopped again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with Basecamp(settings) as basecamp, listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        announcement = Announcement(settings.state_dir / "basecamp.json", url, basecamp.token)
        server = Server(basecamp, announcement)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)  # uvicorn raises them again at its end
        signal.signal(signal.SIGHUP, lambda *_: basecamp.loop.request())
        server.run(sockets=[listener])
