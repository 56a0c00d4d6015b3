"""Where one question is worked on: the workshop's project and warehouse, until it is withdrawn."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dli.specs.template import RenderContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from basecamp.engines.embedded.workshop import Workshop
    from dli.specs.project import Project
    from dli.warehouse.base import Session
    from dli.warehouse.emitter import Emitter


class Desk:
    """`rendering()` is to be entered around every use of the template engine."""

    def __init__(
        self, workshop: Workshop, rendering: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._workshop = workshop
        self.rendering = rendering
        self._lock = threading.Lock()
        self._is_withdrawn = False
        self._session: Session | None = None

    def render_context(self) -> RenderContext:
        """Today, in UTC, unless the parameters name another day."""
        return RenderContext(
            logical_date=datetime.now(UTC).date(),
            variables=self.project().variables,
            allowed_env=self.allowed_env,
        )

    @property
    def allowed_env(self) -> Mapping[str, str]:
        """Environment variables that templates may read."""
        return self._workshop.allowed_env

    def emitter(self) -> Emitter | None:
        """Where the project wants to be told of its runs."""
        return self._workshop.emitter()

    def project(self) -> Project:
        """The project as its files are now."""
        return self._workshop.project()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session on the project's warehouse, interrupted when the question is withdrawn."""
        with self._workshop.session() as session:
            with self._lock:
                self._session = session
                if self._is_withdrawn:
                    session.interrupt()
            try:
                yield session
            finally:
                with self._lock:
                    self._session = None

    def withdraw(self) -> None:
        """End the question's SQL, also when it is only just about to start."""
        with self._lock:
            self._is_withdrawn = True
            if self._session is not None:
                self._session.interrupt()
