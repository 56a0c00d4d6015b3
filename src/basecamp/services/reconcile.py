"""Holds the state store to the spec files: what changed there by other hands comes into force."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from basecamp.services import ownership
from basecamp.services.record import wire_time
from basecamp.specstore.base import FileKey
from basecamp.specstore.index import Reading, SpecIndex
from basecamp.store import audit, spec, workflow
from dli.exceptions import DLIValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.engines.base import Engine
    from basecamp.services.workflow import WorkflowService
    from basecamp.specstore.base import SpecStore
    from basecamp.store.database import Transactions
    from basecamp.store.workflow import WorkflowRow

_log = logging.getLogger(__name__)
_ACTOR = "reconcile"
_BATCH = 500
"""Files taken over per transaction; requests write in between."""
_RETRY_SECONDS = 0.5


@dataclass
class Outcome:
    """What one pass has changed."""

    put: list[FileKey] = field(default_factory=list)
    removed: list[FileKey] = field(default_factory=list)
    invalid: list[FileKey] = field(default_factory=list)
    restored: list[FileKey] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.put or self.removed or self.invalid or self.restored)


class Reconciler:
    """Compares state store and spec files; one thread at a time."""

    def __init__(
        self,
        database: Transactions,
        engine: Engine,
        workflows: WorkflowService,
        *,
        files: SpecStore,
        index: SpecIndex,
        clock: Clock,
    ) -> None:
        self._database = database
        self._engine = engine
        self._workflows = workflows
        self._files = files
        self._index = index
        self._clock = clock
        self._contents: dict[FileKey, dict[str, Any]] = {}
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call it after each pass that has changed something."""
        self._listeners.append(listener)

    def run(self) -> Outcome:
        """One pass.

        Raises:
            ServerError: the files or the store cannot be read (DLI-504); nothing was concluded.
        """
        self._contents.clear()
        files = self._files.scan()
        readings = [(key, self._reading(key, signature)) for key, signature in files.items()]
        rows = self._rows()
        differing = [(key, found) for key, found in readings if _differs(rows.get(key), found)]
        gone = sorted(rows.keys() - files.keys())
        outcome = Outcome()
        for start in range(0, len(differing), _BATCH):
            self._take_over(differing[start : start + _BATCH], outcome)
        if gone:
            self._settle_gone(gone, outcome)
        self._workflows.write_files()
        self._index.save(set(files))
        if outcome:
            counts = {name: len(keys) for name, keys in vars(outcome).items()}
            _log.info("reconcile.changed", extra=counts)
            self._engine.wake()
            for listener in self._listeners:
                listener()
        return outcome

    def restore_code(self) -> None:
        """Write the CODE set that the state store knows: its files were lost as a whole."""
        with self._database.read() as tx:
            contents = {
                row.dataset_name: spec.load(tx, row.spec_hash)
                for row in workflow.of_source(tx, "code")
            }
        if contents:
            self._files.switch_code(self._files.stage_code(contents))
            _log.warning("reconcile.code_restored", extra={"count": len(contents)})

    def _rows(self) -> dict[FileKey, WorkflowRow]:
        with self._database.read() as tx:
            return {
                FileKey(source, row.dataset_name): row
                for source in ("code", "manual")
                for row in workflow.of_source(tx, source)
            }

    def _reading(self, key: FileKey, signature: str) -> Reading:
        known = self._index.find(key, signature)
        if known is not None:
            return known
        try:
            reading = Reading(signature, spec.content_hash(self._content(key)), None)
        except DLIValidationError as exc:
            since = wire_time(self._clock.now())
            reading = Reading(signature, None, f"The newest file is invalid (since {since}): {exc}")
            _log.warning("reconcile.invalid", extra={"source": key.source_type, "file": key.name})
        except OSError as exc:  # gone since the scan, or not ours to read: the next pass sees
            _log.warning("reconcile.unreadable", exc_info=exc, extra={"file": key.name})
            return Reading(signature, None, None)
        self._index.put(key, reading)
        return reading

    def _content(self, key: FileKey) -> dict[str, Any]:
        from basecamp.specstore.document import from_yaml  # the parser loads when a file is new

        if key not in self._contents:
            self._contents[key] = from_yaml(self._files.read(key), key.name)
        return self._contents[key]

    def _take_over(self, found: Sequence[tuple[FileKey, Reading]], outcome: Outcome) -> None:
        now = self._clock.now()
        contents = {key: self._content(key) for key, reading in found if reading.error is None}
        with self._database.transaction(is_alone=True) as tx:
            # The files may have moved on since the scan; then the next pass decides.
            current = self._files.signatures([key for key, _ in found])
            for key, reading in found:
                row = workflow.find(tx, key.name, key.source_type)
                if current[key] != reading.signature or not _differs(row, reading):
                    continue
                if reading.error is None:
                    _put(tx, key, contents[key], now)
                    outcome.put.append(key)
                elif row is not None:
                    workflow.change(tx, row.id, {"error": reading.error})
                    outcome.invalid.append(key)

    def _settle_gone(self, gone: Sequence[FileKey], outcome: Outcome) -> None:
        now = self._clock.now()
        with self._database.transaction(is_alone=True) as tx:
            current = self._files.signatures(gone)
            for key in gone:
                row = workflow.find(tx, key.name, key.source_type)
                if row is None or current[key] is not None:
                    continue
                if key.source_type == "code":
                    ownership.remove_code(tx, key.name, now)
                    _audit(tx, "code.remove", key, now)
                    outcome.removed.append(key)
                elif row.stored:  # only this server writes MANUAL files: a loss is repaired
                    workflow.change(tx, row.id, {"stored": False})
                    outcome.restored.append(key)


class ReconcileLoop:
    """Runs a reconciler at the start, on request and every `seconds`, in a thread of its own."""

    def __init__(
        self,
        reconciler: Reconciler,
        seconds: float,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_wanted` tells whether this server is the one to compare."""
        self._reconciler = reconciler
        self._is_wanted = is_wanted
        self._seconds = seconds
        self._wanted = threading.Event()
        self._is_ending = False
        self._retry_s = _RETRY_SECONDS
        self._thread = threading.Thread(target=self._run, name="reconcile", daemon=True)
        self._on_first_pass: Callable[[], None] | None = None

    def start(self, on_first_pass: Callable[[], None]) -> None:
        """Begin; `on_first_pass` is called in the thread once a pass has succeeded."""
        self._on_first_pass = on_first_pass
        self._thread.start()

    def request(self) -> None:
        """Compare soon."""
        self._wanted.set()

    def stop(self) -> None:
        """End after the pass that is under way."""
        self._is_ending = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_ending:
            self._wanted.clear()
            try:
                if self._is_wanted():
                    self._reconciler.run()
                if self._on_first_pass is not None:
                    self._on_first_pass()
                    self._on_first_pass = None
            except Exception as exc:  # noqa: BLE001 - one bad pass must not end all later ones
                _log.error("reconcile.failed", exc_info=exc)
            if not self._is_ending:
                self._wanted.wait(self._pause_s())

    def _pause_s(self) -> float:
        """The interval; less, but more each time, as long as the server waits to be ready."""
        if self._on_first_pass is None:
            return self._seconds
        self._retry_s = min(2 * self._retry_s, self._seconds)
        return self._retry_s


def _differs(row: WorkflowRow | None, reading: Reading) -> bool:
    if reading.error is not None:
        return row is not None and row.error != reading.error
    if reading.spec_hash is None:  # could not be read
        return False
    if row is None:
        return True
    is_newer_than_file = not row.stored
    return not is_newer_than_file and (row.spec_hash != reading.spec_hash or row.error is not None)


def _put(tx: Connection, key: FileKey, content: dict[str, Any], now: datetime) -> None:
    if key.source_type == "code":
        ownership.put_code(tx, content, now)
    else:
        ownership.put_manual(tx, content, now, stored=True, from_file=True)
    _audit(tx, f"{key.source_type}.put", key, now)


def _audit(tx: Connection, action: str, key: FileKey, now: datetime) -> None:
    audit.record(tx, at=now, actor=_ACTOR, action=action, resource=key.name)
