"""The spec store in a local directory.

store/
code -> versions/<id>     the CODE set in force; switching it is one rename
versions/<id>/NAME.yaml   staged and former sets; a set never changes once it is staged
manual/NAME.yaml          one file per MANUAL workflow, replaced by rename
state/NAME.json           what differs from the spec, such as a pause; for readers beside us
"""

from __future__ import annotations

import os
import secrets
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from basecamp.specstore.base import FileKey, Source
from basecamp.specstore.fault import as_server_error
from basecamp.specstore.name import check_name, is_name
from basecamp.specstore.state import SUFFIX as STATE_SUFFIX
from basecamp.specstore.state import of_json, to_json
from dli.specs.content import SPEC_MAX_BYTES, of_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_SUFFIX = ".yaml"
_KEPT_VERSIONS = 3


class FileSpecStore:
    """Implements `basecamp.specstore.base.SpecStore`; one server writes, anybody may read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._code = root / "code"
        self._manual = root / "manual"
        self._versions = root / "versions"
        self._states = root / "state"

    def prepare(self) -> bool:
        """Create the folders and tell whether there was a CODE set.

        A `code` that a crash took away comes back from the newest version.
        """
        for folder in (self._root, self._manual, self._versions, self._states):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(self._code):
            return True
        sets = sorted(path.name for path in self._versions.iterdir() if path.is_dir())
        self._link(sets[-1] if sets else self._new_version())
        return bool(sets)

    def scan(self) -> dict[FileKey, str]:
        with as_server_error():
            return {**self._scan_folder("code"), **self._scan_folder("manual")}

    def read(self, key: FileKey) -> bytes:
        with self._path(key).open("rb") as file:
            return of_size(file.read(SPEC_MAX_BYTES + 1))

    def signature(self, key: FileKey) -> str | None:
        if not is_name(key.name):
            return None
        try:
            return _signature(self._path(key).lstat())
        except OSError:
            return None

    def signatures(self, keys: Iterable[FileKey]) -> dict[FileKey, str | None]:
        return {key: self.signature(key) for key in keys}

    def put_manual(self, name: str, content: dict[str, Any]) -> None:
        with as_server_error():
            _replace(self._path(FileKey("manual", name)), _yaml(content))

    def remove_manual(self, name: str) -> None:
        with as_server_error():
            self._path(FileKey("manual", name)).unlink(missing_ok=True)
            _sync_folder(self._manual)

    def states(self) -> dict[str, dict[str, Any]]:
        with as_server_error():
            return {
                path.name.removesuffix(STATE_SUFFIX): of_json(path.read_bytes())
                for path in self._states.glob(f"*{STATE_SUFFIX}")
            }

    def put_state(self, name: str, state: dict[str, Any]) -> None:
        with as_server_error():
            _replace(self._state_path(name), to_json(state))

    def remove_state(self, name: str) -> None:
        with as_server_error():
            self._state_path(name).unlink(missing_ok=True)
            _sync_folder(self._states)

    def stage_code(self, contents: Mapping[str, dict[str, Any]]) -> str:
        with as_server_error():
            version = self._new_version()
            folder = self._versions / version
            for name, content in contents.items():
                in_force = self._path(FileKey("code", name))
                _link_or_write(in_force, folder / in_force.name, _yaml(content))
            _sync_folder(folder)
        return version

    def switch_code(self, staged: str) -> str:
        with as_server_error():
            if self._code.is_symlink():
                before = self._code.resolve().name
            else:  # somebody copied files there by hand: keep them as a version of their own
                before = self._new_version()
                self._code.rename(self._versions / before)
            self._link(staged)
        return before

    def prune_code(self) -> None:
        in_force = self._code.resolve().name
        found = sorted(path.name for path in self._versions.iterdir())
        for name in found[:-_KEPT_VERSIONS]:
            if name != in_force:
                shutil.rmtree(self._versions / name, ignore_errors=True)

    def _scan_folder(self, source: Source) -> dict[FileKey, str]:
        folder = (self._code if source == "code" else self._manual).resolve(strict=True)
        with os.scandir(folder) as entries:
            return {
                FileKey(source, entry.name.removesuffix(_SUFFIX)): _signature(
                    entry.stat(follow_symlinks=False)
                )
                for entry in entries
                if entry.name.endswith(_SUFFIX) and entry.is_file(follow_symlinks=False)
            }

    def _path(self, key: FileKey) -> Path:
        check_name(key.name)
        folder = self._code if key.source_type == "code" else self._manual
        return folder / f"{key.name}{_SUFFIX}"

    def _state_path(self, name: str) -> Path:
        check_name(name)
        return self._states / f"{name}{STATE_SUFFIX}"

    def _new_version(self) -> str:
        version = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        (self._versions / version).mkdir(mode=0o700)
        return version

    def _link(self, version: str) -> None:
        fresh = self._root / f".code-{secrets.token_hex(4)}"
        fresh.symlink_to(self._versions.relative_to(self._root) / version)
        fresh.replace(self._code)
        _sync_folder(self._root)


def _link_or_write(in_force: Path, fresh: Path, data: bytes) -> None:
    """A file that stays the same is shared, so a set of thousands costs what has changed."""
    try:
        if in_force.read_bytes() == data:
            os.link(in_force, fresh, follow_symlinks=False)
            return
    except OSError:
        pass
    _write(fresh, data)


def _yaml(content: dict[str, Any]) -> bytes:
    from basecamp.specstore.document import to_yaml  # the YAML library loads on the first write

    return to_yaml(content)


def _signature(stat: os.stat_result) -> str:
    return f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        _write(fresh, data)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
