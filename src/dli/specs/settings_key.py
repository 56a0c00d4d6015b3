"""One key for all that the reading and checking of specs depends on beside the specs' own files."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from dli.config import current_environment, settings_files
from dli.expansion import variables_in
from dli.specs.content import digest_of

__all__ = ["settings_key"]

_OWN_CODE = Path(__file__).parents[1]


def settings_key(root: Path, env: Mapping[str, str]) -> str:
    """Another one after a change of the project's settings, of a variable that they name, of the
    environment in force, of this program or a package beside it, and on another day: templates
    are checked as they would run today.
    """
    parts: list[object] = [str(root), current_environment(env), f"{datetime.now(UTC):%Y-%m-%d}"]
    for path in settings_files(root, env):
        content = path.read_bytes() if path.is_file() else None
        text = "" if content is None else content.decode(errors="replace")
        parts += [str(path), content and digest_of(content)]
        parts += [(name, env.get(name)) for name in sorted(variables_in(text))]
    parts += [sys.version, *_packages(), *_own_code(_OWN_CODE)]
    return digest_of(json.dumps(parts).encode())


def _packages() -> list[str]:
    """Names and versions of what is installed."""
    places = (place for place in sys.path if os.path.isdir(place))  # noqa: PTH112 - "" is none
    return sorted({n for at in places for n in os.listdir(at) if n.endswith(".dist-info")})  # noqa: PTH208


def _own_code(folder: Path) -> list[tuple[str, int, int]]:
    found = []
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(f"{at}/{name}")  # noqa: PTH116 - two hundred of them, each time
                found.append((f"{at}/{name}", status.st_size, status.st_mtime_ns))
    return found
