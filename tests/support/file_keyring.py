"""A keyring for processes that tests start: one JSON file, named by a variable."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend

VARIABLE = "TEST_KEYRING_FILE"


class FileKeyring(KeyringBackend):
    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._kept(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = self._kept()
        del kept[f"{service} {username}"]
        self._write(kept)

    def _kept(self) -> dict[str, str]:
        path = Path(os.environ[VARIABLE])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, kept: dict[str, str]) -> None:
        Path(os.environ[VARIABLE]).write_text(json.dumps(kept))
