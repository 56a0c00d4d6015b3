"""Files and functions stay small enough to read in one go; what may be larger says why."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "benchmarks", "docs", "examples")

MODULE_LINES = 500
FUNCTION_LINES = 60
PARAMETERS = 8

LARGE_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {
    "src/basecamp/services/catalog.py:list": "who asks, and the filters of the contract, typed",
    "src/basecamp/services/run.py:history": "who asks, and the filters of the contract, typed",
    "src/basecamp/services/workflow.py:list": "who asks, and the filters of the contract, typed",
    "src/basecamp/services/workflow.py:register": "the fields of the contract's request, typed",
    "src/dli/models/context.py:__init__": "typed keywords of the public settings model",
}

FORBIDDEN_NAMES = (
    "util",
    "utils",
    "helper",
    "helpers",
    "misc",
    "common_utils",
    "manager",
    "handler",
)
OPTION_DECORATORS = ("command", "option", "argument")
"""A command's parameters are its options: the contract sets their number."""


@dataclass(frozen=True)
class Function:
    name: str
    lines: int
    parameters: int


def modules(*folders: str) -> list[Path]:
    """All of these folders, except migrations, which are written once and never changed."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if path.parent.name != "versions")


def line_count(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{path.relative_to(ROOT)}:{node.name}"
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(name, lines, 0 if is_command(node) else parameter_count(node.args))


def parameter_count(arguments: ast.arguments) -> int:
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return any(isinstance(c, ast.Attribute) and c.attr in OPTION_DECORATORS for c in calls)


def all_functions(*folders: str) -> list[Function]:
    return [function for path in modules(*folders) for function in functions(path)]


def test_no_module_is_larger_than_the_limit() -> None:
    sizes = {str(path.relative_to(ROOT)): line_count(path) for path in modules(*FOLDERS)}
    large = {name: lines for name, lines in sizes.items() if lines > MODULE_LINES}
    assert large.keys() == LARGE_MODULES.keys(), large


def test_no_function_is_longer_than_the_limit() -> None:
    long = {f.name: f.lines for f in all_functions(*FOLDERS) if f.lines > FUNCTION_LINES}
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_no_function_takes_more_parameters_than_the_limit() -> None:
    many = {f.name: f.parameters for f in all_functions(*FOLDERS) if f.parameters > PARAMETERS}
    assert many.keys() == MANY_PARAMETERS.keys(), many


@pytest.mark.parametrize(
    ("what", "sizes", "half_at_most", "nine_tenths_at_most"),
    [
        ("module lines", [line_count(path) for path in modules("src")], 150, 350),
        ("function lines", [f.lines for f in all_functions("src")], 10, 35),
    ],
)
def test_most_of_the_code_is_far_below_the_limits(
    what: str, sizes: list[int], half_at_most: int, nine_tenths_at_most: int
) -> None:
    if len(sizes) > 10:
        assert median(sizes) <= half_at_most, what
        assert quantiles(sizes, n=10)[-1] <= nine_tenths_at_most, what


def test_every_file_is_named_after_a_noun_of_its_own() -> None:
    named = [path.relative_to(ROOT) for path in modules("src") if path.stem in FORBIDDEN_NAMES]
    assert named == []


def test_every_module_opens_with_a_sentence_about_what_lives_there() -> None:
    silent = [
        path.relative_to(ROOT)
        for path in modules(*FOLDERS)
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
