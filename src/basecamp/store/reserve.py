"""A file that keeps some of the disk, given back when a stop must be stored on a full one."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Reserve"]

_BYTES = 512 * 1024  # a stop takes some 50 KB of the log of SQLite
_LEAST_FREE_BYTES = 4 * _BYTES


class Reserve:
    """Real blocks, so that nobody else gets them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Take the space, where there is plenty; a disk that has little is left alone."""
        with suppress(OSError):
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < _LEAST_FREE_BYTES:
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _BYTES)
            except OSError:
                self._path.unlink()
            finally:
                os.close(descriptor)

    def release(self) -> bool:
        """Give the space back; False when it was not held."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
