"""Backups of the state on one machine: made while the server works, put back while none does."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basecamp import state_dir
from basecamp.store import schema
from dli import __version__
from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from basecamp.settings import Settings

_DATABASE = "basecamp.db"
_BESIDE = ("store", "logs", "engine")
"""What a backup holds beside the database. The token is not in it: each place has its own."""
_LEFTOVERS = (f"{_DATABASE}-wal", f"{_DATABASE}-shm")
_MANIFEST = "manifest.json"
_FORMAT = 1
_DAMAGED = "The file is no backup of Basecamp, or it is damaged"


def back_up(settings: Settings, target: Path, *, overwrite: bool = False) -> None:
    """Write the state into the file `target`, whole or not at all; a server may be at work.

    Specs are copied after the database: what a backup holds of them is never older than what it
    says of them, and the server takes up newer ones by itself.

    Raises:
        ConfigurationError: the state is in PostgreSQL or not there, or `target` cannot be written.
    """
    _refuse_shared(settings)
    database = settings.state_dir / _DATABASE
    if not database.exists():
        raise ConfigurationError("There is no state to back up", config_path=settings.state_dir)
    if target.exists() and not overwrite:
        raise ConfigurationError("The file of the backup exists already", config_path=target)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
            copy = Path(folder, _DATABASE)
            revision = _copy_database(database, copy)
            packed = Path(folder, "packed")
            _pack(packed, settings.state_dir, copy, revision)
            packed.replace(target)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        message = f"The backup cannot be written: {reason}"
        raise ConfigurationError(message, config_path=target) from exc


def restore(settings: Settings, source: Path, *, overwrite: bool = False) -> Path | None:
    """Put the state of a backup in place; gives where a state that was there has been moved.

    Raises:
        StateInUseError: a server works on the state.
        ConfigurationError: the state is in PostgreSQL, one is there and `overwrite` is not given,
            or the file is no sound backup of this version or an older one. Nothing was changed.
    """
    _refuse_shared(settings)
    if not source.is_file():
        raise ConfigurationError("There is no such file", config_path=source)
    root = settings.state_dir
    state_dir.prepare(root)
    with state_dir.StateLock(root / "lock"):
        is_there = (root / _DATABASE).exists()
        if is_there and not overwrite:
            message = "The project has a state already; with --force it is moved aside"
            raise ConfigurationError(message, config_path=root)
        with tempfile.TemporaryDirectory(dir=root, prefix=".restoring-") as folder:
            _unpack(source, Path(folder))
            aside = _move_aside(root) if is_there else None
            for name in (*_BESIDE, _DATABASE):  # the database last: it makes the state one
                fresh = Path(folder, name)
                if fresh.exists():
                    fresh.replace(root / name)
    return aside


def _refuse_shared(settings: Settings) -> None:
    if settings.database_url:
        raise ConfigurationError(
            "The state is in PostgreSQL: back it up with pg_dump, and the bucket of its specs"
        )


def _copy_database(source: Path, copy: Path) -> str:
    """A consistent copy while others write; its revision of the schema."""
    copy.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as before,
        closing(sqlite3.connect(copy)) as after,
    ):
        before.backup(after)
        (revision,) = after.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(revision)


def _pack(packed: Path, root: Path, copy: Path, revision: str) -> None:
    manifest: dict[str, Any] = {
        "format": _FORMAT,
        "version": __version__,
        "revision": revision,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps(manifest, indent=2).encode()
    packed.touch(mode=0o600)
    with tarfile.open(packed, "w:gz") as archive:
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        archive.addfile(entry, io.BytesIO(text))
        archive.add(copy, _DATABASE)
        for name in _BESIDE:
            if (root / name).exists():
                archive.add(root / name, name)
    with packed.open("rb") as written:
        os.fsync(written.fileno())


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        is_known = manifest["format"] == _FORMAT and schema.is_known(manifest["revision"])
    except (OSError, tarfile.TarError, ValueError, LookupError, TypeError, EOFError) as exc:
        raise ConfigurationError(_DAMAGED, config_path=source) from exc
    if not is_known:
        message = "The backup was made by a newer version of Basecamp; install that one"
        raise ConfigurationError(message, config_path=source)
    if not _is_sound(folder / _DATABASE):
        raise ConfigurationError(_DAMAGED, config_path=source)


def _is_sound(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _move_aside(root: Path) -> Path:
    """The database goes first: without it what is left is no state that a server could take up."""
    aside = root / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for name in (_DATABASE, *_LEFTOVERS, *_BESIDE):
        if (root / name).exists():
            shutil.move(root / name, aside / name)
    return aside
