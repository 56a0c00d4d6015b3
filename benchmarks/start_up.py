"""How long the commands take that are typed all day, against `airflowctl version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import Command, Side, in_turn
from benchmarks.project import BenchProject
from benchmarks.yardstick import clean_env, dli, python, tool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["commands", "imports", "listing"]

ROUNDS = 20
WORKFLOWS = 1_000


def imports(directory: Path) -> list[Figure]:
    env = clean_env(directory)
    bare = Side("python -c pass", Command([python(), "-c", "pass"], directory, env))
    ours = Side("import dli", Command([python(), "-c", "import dli"], directory, env))
    theirs, us = in_turn([bare, ours], ROUNDS * 2)
    return [Figure("`import dli` against `python -c pass`", "ms", us, at_most_times(3), theirs)]


def commands(directory: Path) -> list[Figure]:
    env = clean_env(directory)
    sides = [
        Side("airflowctl version", _airflowctl(directory)),
        Side("dli --version", Command([dli(), "--version"], directory, env)),
        Side("dli --help", Command([dli(), "--help"], directory, env)),
    ]
    theirs, version, help_ = in_turn(sides, ROUNDS)
    return [
        Figure(
            "`dli --version` against `airflowctl version`",
            "ms",
            version,
            at_most_times(0.12),
            theirs,
        ),
        Figure(
            "`dli --help` against `airflowctl version`", "ms", help_, at_most_times(0.25), theirs
        ),
    ]


def listing(directory: Path) -> list[Figure]:
    with BenchProject(directory / "project") as project:
        project.seed_workflows(WORKFLOWS)
        project.up()
        project.wait_for_workflows(WORKFLOWS)
        sides = [
            Side("airflowctl version", _airflowctl(directory)),
            Side("dli workflow list", project.dli("workflow", "list")),
            Side("dli workflow list -n 500", project.dli("workflow", "list", "-n", "500")),
        ]
        theirs, first, many = in_turn(sides, ROUNDS)
    name = f"`dli workflow list{{}}` of {WORKFLOWS:,} workflows against `airflowctl version`"
    return [
        Figure(name.format(""), "ms", first, at_most_times(0.3), theirs),
        Figure(name.format(" -n 500"), "ms", many, None, theirs),
    ]


def _airflowctl(directory: Path) -> Command:
    return Command([tool("airflowctl", "airflowctl"), "version"], directory, clean_env(directory))
