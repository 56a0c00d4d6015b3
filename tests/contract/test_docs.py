"""The docs say what the code does."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import click

from basecamp.provider.settings import PeopleProvider
from basecamp.settings import Settings
from dli.cli.main import cli
from dli.models import ExecutionContext

ROOT = Path(__file__).parents[2]
NOUNS = ("workflow", "dataset", "metric", "quality", "catalog", "lineage", "transpile")


def test_generated_pages_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    assert subprocess.run(check, capture_output=True, text=True, check=False).stdout == ""


def test_every_variable_that_is_read_is_described_and_no_other() -> None:
    server = {field.name for field in dataclasses.fields(Settings)} - {
        "project",
        "notify",
        "destinations",
        "people",
    }
    server |= {f"oidc_{field.name}" for field in dataclasses.fields(PeopleProvider)}
    named = {name for path in (ROOT / "src" / "dli").rglob("*.py") for name in quoted(path)}
    read = {f"BASECAMP_{name.upper()}" for name in server} | named
    read |= {f"DLI_{name.upper()}" for name in ExecutionContext.model_fields}
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)(?:<TYPE>)?`", page, re.MULTILINE)) == read


def quoted(path: Path) -> list[str]:
    return re.findall(r'"(DLI_[A-Z_]+)"', path.read_text(encoding="utf-8"))


def test_every_command_that_a_text_recommends_exists() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.py")]
    found = {
        (path.relative_to(ROOT), words)
        for path in texts
        for words in re.findall(r"`dli ([a-z]+(?: [a-z]+)?)", path.read_text(encoding="utf-8"))
    }
    assert len(found) > 20
    assert [(str(path), words) for path, words in sorted(found) if not is_command(words)] == []


def test_the_readme_says_which_commands_are_there_and_which_are_not_yet() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| (yes|not yet) \|", readme, re.MULTILINE)
    said = {word: state for names, state in rows for word in re.findall(r"`(\w+)`", names)}
    assert said == {word: "yes" if is_command(word) else "not yet" for word in NOUNS}


def is_command(words: str) -> bool:
    """Whether the first word names a command, and the second one too when the first is a group."""
    group: click.Command | None = cli
    for word in words.split():
        if not isinstance(group, click.Group):
            return True
        group = group.get_command(click.Context(group), word)
        if group is None:
            return False
    return True
