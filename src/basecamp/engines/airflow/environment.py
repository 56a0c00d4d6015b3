"""The Python environment that Airflow runs in: locked packages and this distribution."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from basecamp.engines.airflow import distribution
from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["AirflowEnvironment", "AirflowInstallError"]

LOCK = Path(__file__).with_name("requirements.txt")
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
)


@dataclass(eq=False, repr=False)
class AirflowInstallError(ConfigurationError):
    """The environment could not be made; what was there before is unusable until it can."""


class AirflowEnvironment:
    """A virtual environment at `folder`, made once and again whenever the lock has changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def is_installed(self) -> bool:
        return self._installed() == self._wanted()

    @property
    def lock_digest(self) -> str:
        return hashlib.sha256(LOCK.read_bytes()).hexdigest()

    def install(self, progress: Callable[[str], None]) -> None:
        """Bring the environment to what the lock says; nothing is done when it is there already.

        Raises:
            AirflowInstallError: packages could not be downloaded or installed (DLI-001).
        """
        if self.is_installed:
            return
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.folder.with_suffix(".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # it may be shared; one installs, the others wait
            self._install(progress)

    def _install(self, progress: Callable[[str], None]) -> None:
        have, want = self._installed(), self._wanted()
        if have == want:
            return
        self._marker.unlink(missing_ok=True)
        if have.get("lock") != want["lock"] or have.get("python") != want["python"]:
            self._install_packages(progress)
        progress("Installing dli into it.")
        self._install_own()
        self._marker.write_text(json.dumps(want), encoding="utf-8")

    def _install_packages(self, progress: Callable[[str], None]) -> None:
        count = sum(1 for _ in _pins())
        progress(f"Installing Apache Airflow into {self.folder} ({count} packages, once).")
        shutil.rmtree(self.folder, ignore_errors=True)
        self._call([sys.executable, "-m", "venv", str(self.folder)])
        installer = self._installer(progress)
        self._call([*installer, "--require-hashes", "--requirement", str(LOCK)])

    def _installer(self, progress: Callable[[str], None]) -> list[str]:
        """The command that installs: uv, which takes seconds, or pip, which takes minutes."""
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        pin = self.folder / "uv.txt"
        pin.write_text(next(text for text in _pins() if text.startswith("uv==")), encoding="utf-8")
        try:
            self._call([*pip, "--require-hashes", "--requirement", str(pin)])
        except AirflowInstallError:
            progress("uv cannot be had, pip takes its place; this takes some minutes.")
            return pip
        return self._uv()

    def _uv(self) -> list[str]:
        uv = str(self.folder / "bin" / "uv")
        return [uv, "pip", "install", "--quiet", "--python", str(self.python)]

    def _install_own(self) -> None:
        source = distribution.source_folder()
        if source is None:
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            distribution.copy_into(self.folder / "lib" / version / "site-packages")
        else:
            self._call([*self._uv(), "--no-deps", "--editable", str(source)])

    def _call(self, command: list[str]) -> None:
        """Run one installer; the lines it ends with tell what is wrong."""
        done = subprocess.run(  # noqa: S603 - our own interpreter and installers
            command,
            cwd=self.folder.anchor,  # no project around may have a say
            env=_installer_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
            message = f"Airflow could not be installed: {' '.join(map(str.strip, said))}"
            raise AirflowInstallError(message)

    @property
    def _marker(self) -> Path:
        return self.folder / "installed.json"

    def _installed(self) -> dict[str, str]:
        try:
            found = json.loads(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _wanted(self) -> dict[str, str]:
        return {
            "lock": self.lock_digest,
            "python": f"{sys.base_prefix} {sys.version}",
            "own": distribution.fingerprint(),
        }


def _pins() -> Iterator[str]:
    """Each requirement of the lock with its hashes."""
    pin = ""
    for line in LOCK.read_text(encoding="utf-8").splitlines(keepends=True):
        if pin and line[0].isalnum():
            yield pin
            pin = ""
        if pin or line[0].isalnum():
            pin += line
    yield pin


def _installer_environment() -> dict[str, str]:
    """Where the machine keeps certificates of its own, as behind a company's proxy, they count."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"))
    }
    if any(Path(path).exists() for path in _CERTIFICATES):
        kept.setdefault("UV_SYSTEM_CERTS", "true")
    return kept
