"""Secrets that are given to a server and to its callers are in nothing that others read."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from canary import SECRETS
from process import Server, wait_for

NAME = "shop.sales.daily"


class Asker:
    """Asks the server and keeps every answer."""

    def __init__(self, server: Server) -> None:
        self._port = server.port
        self._token = server.state.joinpath("token").read_text().strip()
        self.told: list[str] = []

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        line.request(method, path, data, sent)
        answer = line.getresponse()
        text = answer.read().decode()
        self.told.append(f"{answer.headers}\n{text}")
        line.close()
        return json.loads(text) if text.startswith("{") else text

    def run(self, **parameters: str) -> Any:
        """A run and its record, which has its parameters; its error and its log have no value."""
        started = self.ask("POST", f"/api/v1/workflows/{NAME}/run", {"parameters": parameters})
        path = f"/api/v1/workflows/runs/{started['run_id']}?wait=20"
        ended = ("FAILED", "COMPLETED")
        record = wait_for(
            lambda: found if (found := self.ask("GET", path))["status"] in ended else None
        )
        self.told.clear()
        self.ask("GET", f"/api/v1/workflows/runs/{started['run_id']}/logs")
        self.told.append(str(record["error_message"]))
        return record


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "dli.yaml").write_text("version: '1'\n")
    started = Server(
        tmp_path,
        {
            "DLI_NOTIFY_PAGER": f"json://user:{SECRETS['channel']}@127.0.0.1:1",
            "WAREHOUSE_PASSWORD": SECRETS["template"],
            "BASECAMP_TEMPLATE_ENV": "WAREHOUSE_PASSWORD",
            "BASECAMP_AIRFLOW_PASSWORD": SECRETS["airflow"],
            "AWS_SECRET_ACCESS_KEY": SECRETS["other"],
            "BASECAMP_LOG_LEVEL": "DEBUG",
        },
    )
    started.wait_until_ready()
    yield started
    started.stop()


def spec() -> dict[str, Any]:
    pager = [{"type": "pager", "channel": "ops"}]
    return {
        "name": NAME,
        "owner": "ana",
        "team": "t",
        "parameters": [{"name": "who", "type": "string", "default": "nobody"}],
        "query_statement": "SELECT CAST({{ who|sql_string }} AS INTEGER), "
        f"'{SECRETS['literal']}', {{{{ env_var('WAREHOUSE_PASSWORD')|sql_string }}}}",
        "execution": {"dialect": "duckdb"},
        "schedule": {"cron": "0 6 * * *", "notifications": {"on_failure": pager}},
    }


def test_f46_no_secret_is_in_answers_logs_audit_or_metrics(server: Server) -> None:
    asker = Asker(server)
    below, register = "/api/v1/workflows", "/api/v1/workflows/register"
    asked = {"dataset_name": NAME, "cron": "0 6 * * *"}
    assert asker.ask("POST", register, asked | {"spec": spec()})["dataset_name"] == NAME
    assert asker.run(who=SECRETS["value"])["status"] == "FAILED"
    asker.ask("GET", f"{below}?{SECRETS['query']}={SECRETS['query']}")
    asker.ask("GET", below, X_Request_Id=f"{SECRETS['header']}\t")
    asker.ask("GET", below, Authorization=f"Bearer {SECRETS['token']}")
    asker.ask("GET", below, X_API_Key=SECRETS["key"])
    asker.ask("GET", below, Authorization=f"Basic {SECRETS['bearer']}")
    asker.ask("GET", below, Host=SECRETS["host"])
    asker.ask("POST", register, asked | {SECRETS["field"]: SECRETS["field"]})
    asker.ask("POST", register, asked | {"cron": SECRETS["cron"], "force": True})
    asker.ask("POST", register, asked | {"timezone": SECRETS["zone"], "force": True})
    asker.ask("POST", register, f'{{"a": {SECRETS["json"]}'.encode())
    asker.ask("POST", register, asked | {"dataset_name": f"{SECRETS['name']}!"})
    asker.ask("POST", f"{below}/{NAME}/run", {"parameters": {"ignored": SECRETS["ignored"]}})
    asker.ask("POST", f"{below}/{NAME}/run", {"parameters": {"who": "1"}, "dry_run": "yes"})
    assert "run.start" in json.dumps(asker.ask("GET", "/api/v1/audit?limit=100"))
    assert "basecamp_" in asker.ask("GET", "/metrics")
    log = (server.project / "server.log").read_text()
    assert "request.answered" in log
    written = "\n".join((log, *asker.told))
    assert [name for name, secret in SECRETS.items() if secret in written] == []
