"""Requests made from the description of the API, as each of four identities."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaign import Campaign
from process import Server, wait_for

API, NAME = "/api/v1", "shop.sales.daily"
SPEC = {
    "name": NAME,
    "owner": "ana@example.com",
    "team": "sales",
    "query_statement": "SELECT 1 AS n",
    "execution": {"dialect": "duckdb"},
}
# What a schema cannot say, such as the text of a cron, SQL or a spec, is refused with 400 or 422.
SETTINGS = """
hooks = "{hooks}"

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "408", "409", "413", "422", "429", "503"]

[[operations]]
include-method = "GET"
checks.positive_data_acceptance.expected-statuses = [
  "2xx", "401", "403", "404", "422", "429", "503",
]
"""
KNOWN = f"""
[parameters]
"path.dataset_name" = "{NAME}"
"path.name" = "{NAME}"
"path.ref" = "{NAME}"
"""
GENERATED = re.compile(r"^  ([0-9]+) generated", re.MULTILINE)
REASON = re.compile(r"^- \S+ (.+)$", re.MULTILINE)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "dli.yaml").write_text("sources: [{table: shop.raw.sales, path: sales.csv}]\n")
    (tmp_path / "sales.csv").write_text("n,dt\n1,2026-01-01\n")
    rates = {"BASECAMP_READ_RATE": "0", "BASECAMP_CHANGE_RATE": "0", "BASECAMP_RUN_RATE": "0"}
    started = Server(tmp_path, rates)
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def asked(server: Server, method: str, path: str, body: object = None) -> Any:
    """The answer to the local user, who may do everything."""
    token = (server.state / "token").read_text().strip()
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    line.request(method, f"{API}{path}", None if body is None else json.dumps(body), headers)
    answer = line.getresponse()
    found = json.loads(answer.read())
    line.close()
    assert answer.status < 300, found
    return found


def token_of(server: Server, role: str) -> str | None:
    """The token for this campaign; an admin's is the local user's, who may publish, too."""
    if role == "anonymous":
        return None
    if role == "admin":
        return (server.state / "token").read_text().strip()
    body = {"name": role, "role": role, "teams": ["sales"]}
    return str(asked(server, "POST", "/tokens", body)["token"])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("role", ["anonymous", "viewer", "operator", "admin"])
def test_t7_no_request_makes_the_server_fail_or_break_its_description(
    campaign: Campaign, server: Server, tmp_path: Path, role: str
) -> None:
    wanted = campaign.size(ci=5_000, long=20_000)
    register = {"dataset_name": NAME, "cron": "0 6 * * *", "spec": SPEC}
    asked(server, "POST", "/workflows/register", register)
    token = token_of(server, role)
    found: set[str] = set()
    told: list[str] = []
    done = turn = 0
    while done < wanted:
        settings = tmp_path / "schemathesis.toml"
        hooks = Path(__file__).with_name("loopback.py")
        settings.write_text(SETTINGS.format(hooks=hooks) + (KNOWN if turn % 2 else ""))
        number, reasons, text = requested(server, token, settings, wanted, campaign.seed + turn)
        done, turn = done + number, turn + 1
        found |= reasons
        told += [text] if reasons else []
        campaign.count("requests", number)
    answered = answers(server)
    failed = [status for status in answered if status >= 500]
    campaign.count("answers with 503, as when it is too busy to be ready", failed.count(503))
    campaign.figure("other answers with 5xx", len(failed) - failed.count(503), limit=0)
    campaign.figure("answers", len(answered), at_least=wanted)
    campaign.figure("kinds of failed checks", len(found), limit=0)
    assert "Traceback" not in (tmp_path / "server.log").read_text()
    assert found == set(), "\n".join(told)[-20_000:]
    wait_for(lambda: server.client().health_check().success)


def requested(
    server: Server, token: str | None, settings: Path, wanted: int, seed: int
) -> tuple[int, set[str], str]:
    """One turn: how many cases, what was wrong with which route, and all that was printed."""
    description = settings.with_name("openapi.json")
    description.write_text(json.dumps(asked(server, "GET", "/openapi.json")))
    words = ["--config-file", str(settings), "run", str(description), "--no-color"]
    words += ["--url", f"http://127.0.0.1:{server.port}", "--continue-on-failure", "--no-shrink"]
    words += ["--max-examples", str(max(5, wanted // 400)), "--seed", str(seed)]
    words += ["--request-timeout", "60", "--generation-database", "none", "--warnings", "off"]
    words += ["--header", "Connection: close"]  # so that the next one comes from elsewhere
    # A stranger is told of no method that it is none, only that a token is needed.
    known = ["--header", f"Authorization: Bearer {token}"]
    words += known if token else ["--exclude-checks", "unsupported_method"]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "schemathesis"), *words],
        cwd=settings.parent,
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    number = GENERATED.search(done.stdout)
    assert number is not None, done.stdout[-5_000:] + done.stderr[-5_000:]
    reasons = set(REASON.findall(done.stdout))
    assert done.returncode == (1 if reasons else 0), done.stdout[-5_000:]
    return int(number[1]), reasons, done.stdout


def answers(server: Server) -> list[int]:
    """The statuses of all answers, as the server's own log has them."""
    lines = (server.project / "server.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if '"request.answered"' in line]
    return [int(line["status"]) for line in told]
