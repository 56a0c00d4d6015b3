"""Projects on disk, each with the processes that a test starts in it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shell import Shell


@pytest.fixture(scope="module")
def open_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Shell]]:
    """Copies a project and opens a shell in the copy; what runs there is stopped at the end."""
    shells: list[Shell] = []

    def open_copy(source: Path) -> Shell:
        folder = tmp_path_factory.mktemp(source.name)
        project = folder / source.name
        shutil.copytree(source, project, ignore=shutil.ignore_patterns(".dli"))
        shells.append(Shell(project, folder))
        return shells[-1]

    yield open_copy
    for shell in shells:
        shell.dli("down")
