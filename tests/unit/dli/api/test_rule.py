"""Rules of a project are read once while nothing that they come from has changed, and else anew."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dli.api import rule
from dli.api.rule import ProjectRules
from dli.exceptions import ConfigurationError
from dli.models.common import ExecutionContext
from dli.specs.substitution import Rules

DLI_YAML = """
transpile:
  rules: [{id: a, type: table_substitution, source: a, target: '${PLACE:-x}'}]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DLI_CONFIG_FILE", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    old(root / "dli.yaml", DLI_YAML)
    return root


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[ExecutionContext]:
    """Every reading of the files."""
    seen: list[ExecutionContext] = []
    real = rule.project_rules

    def read(context: ExecutionContext) -> Rules:
        seen.append(context)
        return real(context)

    monkeypatch.setattr(rule, "project_rules", read)
    return seen


def old(file: Path, text: str) -> None:
    """A file that was written a while ago."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    os.utime(file, (time.time() - 60, time.time() - 60))


def targets(rules: ProjectRules) -> list[str]:
    return [one.target for one in rules.read().rules]


def test_unchanged_rules_are_read_once(root: Path, reads: list[ExecutionContext]) -> None:
    rules = ProjectRules(ExecutionContext(project_path=root))
    assert [targets(rules), targets(rules)] == [["x"], ["x"]]
    assert len(reads) == 1


CHANGES: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "edited": lambda root, _: (root / "dli.yaml").write_text(DLI_YAML.replace("-x", "-y")),
    "another file": lambda root, _: old(root / "dli.yaml", DLI_YAML.replace("-x}", "-y}") + "\n"),
    "local file": lambda root, _: old(root / ".dli.local.yaml", DLI_YAML.replace("-x", "-y")),
    "variable": lambda _, at: at.setenv("PLACE", "y"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_once(root: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    rules = ProjectRules(ExecutionContext(project_path=root))
    assert targets(rules) == ["x"]
    CHANGES[change](root, monkeypatch)
    assert targets(rules) == ["y"]


def test_files_that_are_just_written_are_not_trusted_to_look_different(
    root: Path, reads: list[ExecutionContext]
) -> None:
    (root / "dli.yaml").write_text(DLI_YAML)
    rules = ProjectRules(ExecutionContext(project_path=root))
    assert [targets(rules), targets(rules)] == [["x"], ["x"]]
    assert len(reads) == 2


def test_the_user_s_own_file_and_a_missing_project_count(root: Path, tmp_path: Path) -> None:
    old(root / "dli.yaml", "version: '1'")
    rules = ProjectRules(ExecutionContext(project_path=root))
    assert targets(rules) == []
    (tmp_path / "home" / ".dli").mkdir(parents=True)
    old(tmp_path / "home" / ".dli" / "config.yaml", DLI_YAML)
    assert targets(rules) == ["x"]
    (root / "dli.yaml").unlink()
    with pytest.raises(ConfigurationError):
        rules.read()


def test_below_the_project_s_folder_the_files_are_looked_up_each_time(
    root: Path, reads: list[ExecutionContext]
) -> None:
    (root / "datasets").mkdir()
    rules = ProjectRules(ExecutionContext(project_path=root / "datasets"))
    assert [targets(rules), targets(rules)] == [["x"], ["x"]]
    old(root / "datasets" / "dli.yaml", DLI_YAML.replace("-x", "-nearer"))
    assert targets(rules) == ["nearer"]
    assert len(reads) == 3
