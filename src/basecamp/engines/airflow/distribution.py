"""Our own distribution: where it came from, and how it gets into another environment."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dli.exceptions import ConfigurationError

__all__ = ["copy_into", "fingerprint", "source_folder"]

NAME = "dli"


def source_folder() -> Path | None:
    """The folder that an editable installation reads its code from; `None` for any other one."""
    origin = json.loads(_own().read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


def fingerprint() -> str:
    """Changes whenever the distribution has to be installed again."""
    folder = source_folder()
    if folder is not None:
        return f"{folder} {_digest((folder / 'pyproject.toml').read_bytes())}"
    return _digest((_own().read_text("RECORD") or "").encode())


def copy_into(site_packages: Path) -> None:
    """Put the very files that run here into another environment, without asking any index.

    An index may hold another version, or a foreign project of the same name.
    """
    own = _own()
    for old in site_packages.glob(f"{NAME}-*.dist-info"):
        shutil.rmtree(old)
    for file in own.files or ():
        if ".." in file.parts or file.suffix == ".pyc":
            continue
        target = site_packages / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(own.locate_file(file)), target)


def _own() -> Distribution:
    try:
        return distribution(NAME)
    except PackageNotFoundError as exc:
        message = "This library runs from a folder where it is not installed."
        raise ConfigurationError(message) from exc


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
