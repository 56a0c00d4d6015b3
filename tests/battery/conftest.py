"""The frame of the battery: one campaign per test, told when it ends and kept in a file."""

import json
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from campaign import Campaign, Figure
from kept import Kept

HERE = Path(__file__).parent
ID = re.compile(r"test_([gt][0-9]+)_")
CI_LIMIT_S, LONG_LIMIT_S = 300, 6 * 3600
RECORD = "campaign"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--battery", choices=["ci", "long"], default="ci", help="size of campaigns")
    parser.addoption("--battery-seed", type=int, help="seed of campaigns, as one printed it")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Bulletin(config, terminal))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_long = config.getoption("--battery") == "long"
    if not is_long:
        left_out = [item for item in items if item.get_closest_marker("release")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        if HERE not in item.path.parents:
            continue
        if not ID.match(item.name):
            raise pytest.UsageError(f"{item.nodeid}: its name begins with no id, as test_t1_")
        if is_long:
            item.add_marker(pytest.mark.timeout(LONG_LIMIT_S), append=False)
        elif not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(CI_LIMIT_S))


@pytest.fixture
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """What this test tells of itself."""
    option = request.config.getoption
    return Campaign(request.node.nodeid, option("--battery"), option("--battery-seed"))


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """The state store of the server on the project `tmp_path / "project"`, on each database."""
    file = tmp_path / "project" / ".dli" / "basecamp.db"
    if request.param == "sqlite":
        return Kept(file)
    server = request.getfixturevalue("postgres_server")
    return Kept(file, server.create_database(f"battery_{secrets.token_hex(6)}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    found = getattr(item, "funcargs", {}).get("campaign")
    try:
        yield
    finally:
        if found is not None:
            item.user_properties.append((RECORD, found.record()))
    if found is not None and (missed := found.missed()):
        pytest.fail(f"not reached: {'; '.join(missed)}", pytrace=False)


class Bulletin:
    """Prints each campaign as it ends, and adds it to `.battery/results.jsonl`."""

    def __init__(self, config: pytest.Config, terminal: Any) -> None:
        self._terminal = terminal
        self._results = config.rootpath / ".battery" / "results.jsonl"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = dict(report.user_properties).get(RECORD)
        if report.when != "call" or not isinstance(found, dict):
            return
        result = found | {
            "outcome": report.outcome,
            "duration_s": round(report.duration, 1),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._results.parent.mkdir(exist_ok=True)
        with self._results.open("a", encoding="utf-8") as results:
            results.write(json.dumps(result) + "\n")
        self._terminal.ensure_newline()
        for line in told(result):
            self._terminal.write_line(line)


def told(result: dict[str, Any]) -> Iterator[str]:
    """One block: id, seed, counts, figures, how to repeat it."""
    test = result["test"]
    found = ID.match(test.rpartition("::")[2])
    assert found is not None
    how = f"{result['outcome']} in {result['duration_s']} s, seed {result['seed']}"
    yield f"{found[1].upper()} {how}"
    if result["counts"]:
        yield "   " + ", ".join(f"{number} {what}" for what, number in result["counts"].items())
    yield from (f"   {Figure(**figure)}" for figure in result["figures"])
    options = f"--battery {result['size']} --battery-seed {result['seed']}"
    yield f"   repeat: .venv/bin/pytest -n0 '{test}' {options}"
