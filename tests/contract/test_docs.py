"""The docs say what the code does."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

from basecamp.settings import Settings
from dli.models import ExecutionContext

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    assert subprocess.run(check, capture_output=True, text=True, check=False).stdout == ""


def test_every_variable_that_is_read_is_described_and_no_other() -> None:
    server = {field.name for field in dataclasses.fields(Settings)} - {"project"}
    named = {name for path in (ROOT / "src" / "dli").rglob("*.py") for name in quoted(path)}
    read = {f"BASECAMP_{name.upper()}" for name in server} | named
    read |= {f"DLI_{name.upper()}" for name in ExecutionContext.model_fields}
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == read


def quoted(path: Path) -> list[str]:
    return re.findall(r'"(DLI_[A-Z_]+)"', path.read_text(encoding="utf-8"))
