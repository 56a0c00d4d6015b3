"""Each code of the contract can happen at the command line, and is one clear line there."""

import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from basecamp.engines.base import CheckResult
from dli.exceptions import CODES, ErrorCode
from dli.main import app

DAILY, TOTAL = "shop.sales.daily", "shop.sales.total"
HEAD = "owner: ana@example.com\nteam: sales\nname: "
TESTS = """
target: {type: dataset, name: shop.raw.orders}
metadata: {owner: ana@example.com}
tests: [{name: many, type: row_count, min: 100}]
"""
CRON = ("--cron", "0 6 * * *")
SLOW = "SELECT COUNT(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"


@dataclass
class Desk:
    """Somebody at a terminal in a project, with a server at hand."""

    root: Path
    site: Any
    patch: pytest.MonkeyPatch

    def dli(self, *words: str) -> Result:
        return CliRunner().invoke(app, words)  # type: ignore[arg-type]

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def settings(self, text: str) -> None:
        self.write("dli.yaml", f"sources: [{{table: shop.raw.orders, path: orders.csv}}]\n{text}")

    def dataset(self, sql: str, more: str = "") -> None:
        text = f"{HEAD}{DAILY}\n{more}\nquery_statement: {sql}\n"
        self.write(f"datasets/dataset.{DAILY}.yaml", text)

    def use_server(self, url: str | None = None, token: str | None = None) -> None:
        self.patch.setenv("DLI_SERVER_URL", url or f"http://127.0.0.1:{self.site.port}")
        self.patch.setenv("DLI_API_TOKEN", token or self.site.basecamp.token)

    def registered(self, name: str = DAILY) -> None:
        self.use_server()
        assert self.site.register(name).status == 201


@pytest.fixture
def desk(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in os.environ:
        if name.startswith("DLI_"):
            monkeypatch.delenv(name)
    desk = Desk(tmp_path / "project", site, monkeypatch)
    desk.root.mkdir()
    desk.settings("")
    desk.write("orders.csv", "id,amount\n1,10\n")
    desk.dataset("SELECT id FROM shop.raw.orders")
    desk.write("metrics/metric.x.yaml", f"{HEAD}{TOTAL}\nquery_statement: SELECT 1 AS a\n")
    desk.write("quality/quality.x.yaml", TESTS)
    monkeypatch.chdir(desk.root)
    return desk


Scenario = Callable[[Desk], Result]
SCENARIOS: dict[str, Scenario] = {}


def provokes(code: str) -> Callable[[Scenario], Scenario]:
    def keep(scenario: Scenario) -> Scenario:
        SCENARIOS[f"DLI-{code}"] = scenario
        return scenario

    return keep


@provokes("001")
def nobody_runs_a_server(desk: Desk) -> Result:
    return desk.dli("workflow", "list")


@provokes("002")
def there_is_no_project(desk: Desk) -> Result:
    return desk.dli("dataset", "list", "--path", str(desk.root.parent))


@provokes("003")
def there_is_no_such_folder(desk: Desk) -> Result:
    return desk.dli("dataset", "list", "--path", "nowhere")


@provokes("101")
def no_such_dataset(desk: Desk) -> Result:
    return desk.dli("dataset", "get", "shop.sales.none")


@provokes("102")
def no_such_metric(desk: Desk) -> Result:
    return desk.dli("metric", "run", "shop.sales.none")


@provokes("103")
def the_table_of_a_dataset_that_never_ran(desk: Desk) -> Result:
    return desk.dli("dataset", "show", DAILY)


@provokes("201")
def registered_already(desk: Desk) -> Result:
    desk.use_server()
    assert desk.dli("dataset", "register", DAILY).exit_code == 0
    return desk.dli("dataset", "register", DAILY)


@provokes("202")
def sql_that_is_none(desk: Desk) -> Result:
    return desk.dli("dataset", "run", "--sql", "SELEC 1")


@provokes("203")
def a_template_with_an_unknown_name(desk: Desk) -> Result:
    desk.dataset("SELECT {{ nothing }}")
    return desk.dli("dataset", "run", DAILY)


@provokes("204")
def a_parameter_that_nobody_declared(desk: Desk) -> Result:
    return desk.dli("dataset", "run", DAILY, "-p", "planet=Mars")


@provokes("301")
def a_warning_under_strict(desk: Desk) -> Result:
    return desk.dli("transpile", "SELECT * FROM t", "--strict")


@provokes("302")
def a_dialect_that_nobody_speaks(desk: Desk) -> Result:
    return desk.dli("transpile", "SELECT 1", "--to", "klingon")


@provokes("303")
def two_rules_for_one_table(desk: Desk) -> Result:
    rule = "type: table_substitution, source: old.orders, priority: 1"
    rules = ", ".join(f"{{id: r{n}, {rule}, target: new.orders{n}}}" for n in (1, 2))
    desk.settings(f"transpile: {{rules: [{rules}]}}")
    return desk.dli("dataset", "run", "--sql", "SELECT 1 FROM old.orders")


@provokes("401")
def a_report_that_cannot_be_written(desk: Desk) -> Result:
    return desk.dli("quality", "run", "quality/quality.x.yaml", "--junit", "no/such/out.xml")


@provokes("402")
def sql_over_its_time_limit(desk: Desk) -> Result:
    desk.dataset(SLOW, "execution: {timeout_seconds: 1, dialect: duckdb}")
    return desk.dli("dataset", "run", DAILY)


@provokes("403")
def an_engine_without_a_driver(desk: Desk) -> Result:
    desk.settings("environments: {dev: {connection_string: 'trino://user@host/x'}}")
    return desk.dli("dataset", "run", "--sql", "SELECT 1")


@provokes("404")
def a_file_that_sql_may_not_read(desk: Desk) -> Result:
    desk.patch.setenv("DLI_DIALECT", "duckdb")
    return desk.dli("dataset", "run", "--sql", "SELECT * FROM read_text('/etc/hostname')")


@provokes("405")
def a_column_that_is_not_there(desk: Desk) -> Result:
    return desk.dli("dataset", "run", "--sql", "SELECT nope FROM shop.raw.orders")


@provokes("501")
def nobody_listens(desk: Desk) -> Result:
    desk.use_server("http://127.0.0.1:9")
    return desk.dli("workflow", "list")


@provokes("502")
def a_wrong_token(desk: Desk) -> Result:
    desk.use_server(token="wrong")
    return desk.dli("workflow", "list")


@provokes("503")
def something_else_listens(desk: Desk) -> Result:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") as url:
        desk.use_server(url)
        return desk.dli("dataset", "list", "--source", "server")


@provokes("504")
def the_engine_of_the_server_is_away(desk: Desk) -> Result:
    desk.registered()
    away = CheckResult(ok=False, code="DLI-504", message="The engine did not answer.")
    desk.site.engine.answer = away
    return desk.dli("workflow", "run", DAILY, "--dry-run")


@provokes("601")
def no_such_quality_file(desk: Desk) -> Result:
    return desk.dli("quality", "run", "none.yaml")


@provokes("602")
def a_file_that_holds_no_tests(desk: Desk) -> Result:
    return desk.dli("quality", "run", "dli.yaml")


@provokes("603")
def a_target_that_is_not_there(desk: Desk) -> Result:
    desk.write("quality/quality.x.yaml", TESTS.replace("raw.orders", "raw.none"))
    return desk.dli("quality", "run", "quality/quality.x.yaml")


@provokes("604")
def a_test_that_fails(desk: Desk) -> Result:
    return desk.dli("quality", "run", "quality/quality.x.yaml")


@provokes("606")
def no_such_test(desk: Desk) -> Result:
    return desk.dli("quality", "get", "none")


@provokes("701")
def a_server_without_a_catalog(desk: Desk) -> Result:
    with answering(problem(404, "DLI-201", "No such path.")) as url:
        desk.use_server(url)
        return desk.dli("catalog", "list")


@provokes("702")
def no_such_table(desk: Desk) -> Result:
    return desk.dli("catalog", "shop.raw.none")


@provokes("703")
def what_is_no_name_of_a_table(desk: Desk) -> Result:
    return desk.dli("catalog", "a..b")


@provokes("704")
def rows_that_are_for_others(desk: Desk) -> Result:
    desk.registered()
    asked = {"name": "x", "role": "viewer", "teams": ["sales"], "scopes": ["dataset:read"]}
    made = desk.site.post("/api/v1/tokens", asked)
    desk.use_server(token=made.body["token"])
    desk.patch.setenv("DLI_EXECUTION_MODE", "server")
    return desk.dli("catalog", DAILY, "--sample")


@provokes("705")
def an_engine_that_nobody_knows(desk: Desk) -> Result:
    return desk.dli("catalog", "mysql.shop.raw.orders")


@provokes("800")
def no_such_run(desk: Desk) -> Result:
    desk.use_server()
    return desk.dli("workflow", "status", "no-such-run")


@provokes("801")
def a_schedule_that_cannot_fill_the_parameters(desk: Desk) -> Result:
    desk.use_server()
    desk.dataset("SELECT {{ n }}", "parameters: [{name: n, type: integer}]")
    return desk.dli("workflow", "register", DAILY, *CRON)


@provokes("802")
def no_such_run_to_stop(desk: Desk) -> Result:
    desk.use_server()
    return desk.dli("workflow", "stop", "no-such-run")


@provokes("803")
def what_git_has_published(desk: Desk) -> Result:
    desk.use_server()
    desk.site.publish(DAILY)
    return desk.dli("workflow", "unregister", DAILY)


@provokes("804")
def a_workflow_that_is_there(desk: Desk) -> Result:
    desk.registered()
    return desk.dli("workflow", "register", DAILY, *CRON)


@provokes("805")
def a_cron_that_is_none(desk: Desk) -> Result:
    return desk.dli("workflow", "next", "--cron", "61 * * * *")


@provokes("806")
def what_git_has_overridden(desk: Desk) -> Result:
    desk.registered()
    desk.site.publish(DAILY)
    return desk.dli("workflow", "unpause", DAILY)


@provokes("807")
def what_is_so_already(desk: Desk) -> Result:
    desk.registered()
    return desk.dli("workflow", "unpause", DAILY)


@provokes("808")
def a_defect_while_unregistering(desk: Desk) -> Result:
    desk.registered()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    desk.patch.setattr(desk.site.basecamp.site.workflows, "unregister", broken)
    return desk.dli("workflow", "unregister", DAILY)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Listens like a server that gives this answer, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    line.recv(65536)
                    line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def problem(status: int, code: str, detail: str) -> bytes:
    body = json.dumps({"code": code, "detail": detail}).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/problem+json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_every_code_can_happen() -> None:
    assert sorted(SCENARIOS) == sorted(code.value for code in ErrorCode)


@pytest.mark.parametrize("code", sorted(SCENARIOS))
def test_a_code_is_one_clear_line(desk: Desk, code: str) -> None:
    result = SCENARIOS[code](desk)
    assert result.exit_code == 1, result.output
    last = result.stderr.splitlines()[-1]
    found = re.fullmatch(r"Error \[(DLI-\d{3})\]: (\S.*)", last)
    assert found, result.output
    assert found[1] == code
    assert result.stderr.count("\n") == 1
    assert found[2].endswith((".", "?", "out.xml"))
    assert "Traceback" not in result.output
    assert CODES[ErrorCode(code)].help
    assert result.stdout == "" or code == "DLI-604"  # beside the table of the tests
