"""What hot commands and the server import stays light."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "cron, schedule, zone, name, parameter_text, validation",
            "pydantic sqlglot minijinja duckdb yaml",
        ),
        ("parser, parameter, project, graph, lineage", "sqlglot minijinja duckdb"),
    ],
)
def test_modules_do_without(modules: str, heavy: str) -> None:
    code = f"from dli.specs import {modules}\nimport sys\nprint(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert set(heavy.split()).isdisjoint(loaded)
