"""Every command and script of the pages of the nouns works, line by line, on the example."""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dli.main import app

ROOT = Path(__file__).parents[2]
NOUNS = ("dataset", "metric", "quality", "catalog", "lineage", "transpile", "config")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("DLI_"):
            monkeypatch.delenv(name)
    root = tmp_path / "flights"
    unwanted = shutil.ignore_patterns(".dli")
    shutil.copytree(ROOT / "examples" / "flights", root, ignore=unwanted)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("noun", NOUNS)
def test_the_page_does_what_it_says(noun: str, project: Path) -> None:
    page = (ROOT / "docs" / f"{noun}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(shell|python)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert {language for language, _ in blocks} == {"shell", "python"}
    for language, text in blocks:
        if language == "python":
            exec(compile(text, f"{noun}.md", "exec"), {})
            continue
        for line in text.splitlines():
            _, *words = shlex.split(line)
            done = CliRunner().invoke(app, words)  # type: ignore[arg-type]
            assert done.exit_code == 0, f"{line}\n{done.output}"
            assert done.stdout, line


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [noun for noun in NOUNS if f"(docs/{noun}.md)" not in readme] == []
