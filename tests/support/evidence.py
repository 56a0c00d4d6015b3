"""The tables that name, for each row of the contract, the tests that show it, and their source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["TESTS", "is_test", "source", "table"]

TESTS = Path(__file__).parents[1]
ROWS = TESTS / "contract" / "rows"

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@cache
def table(paper: str) -> dict[str, Any]:
    """What is kept of one paper of the contract."""
    found: dict[str, Any] = yaml.safe_load((ROWS / f"{paper}.yaml").read_text(encoding="utf-8"))
    return found


def is_test(name: str) -> bool:
    """Whether `folder/file.py::test` or `folder/file.py::Class::test` is there and runs."""
    path, *inside = name.split("::")
    node = _find(path, inside)
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _skips(node)


def source(name: str) -> str:
    """The text of a test and of whatever of its file it uses."""
    path, *inside = name.split("::")
    text, top = _read(path)
    node = _find(path, inside)
    assert node is not None, f"{name} is not there"
    needed: dict[str, Definition] = {}
    waiting: list[ast.AST] = [node]
    while waiting:
        for word in _words(waiting.pop()):
            if word in top and word not in needed:
                needed[word] = top[word]
                waiting.append(top[word])
    return "\n".join(_text(text, part) for part in (node, *needed.values()))


def _find(path: str, inside: list[str]) -> ast.AST | None:
    if not (TESTS / path).is_file() or not inside:
        return None
    _, top = _read(path)
    node: ast.AST | None = top.get(inside[0])
    for name in inside[1:]:
        body = node.body if isinstance(node, ast.ClassDef) else []
        methods = (part for part in body if isinstance(part, ast.FunctionDef))
        node = next((method for method in methods if method.name == name), None)
    return node


@cache
def _read(path: str) -> tuple[list[str], dict[str, Definition]]:
    text = (TESTS / path).read_text(encoding="utf-8")
    top: dict[str, Definition] = {}
    for node in ast.parse(text).body:
        if isinstance(node, Definition):
            top.update(dict.fromkeys(_names(node), node))
    return text.splitlines(), top


def _names(node: Definition) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _words(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.arg):  # a fixture
            yield part.arg


def _text(lines: list[str], node: ast.AST) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min(part.lineno for part in (node, *decorators))
    last: int = node.end_lineno  # type: ignore[attr-defined]
    return "\n".join(lines[first - 1 : last])


def _skips(node: ast.FunctionDef) -> bool:
    marks = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(mark.startswith(("pytest.mark.skip", "pytest.mark.xfail")) for mark in marks)
