"""Every code goes the whole way: server, HTTP, client, exception, one line in the shell."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import FastAPI

from basecamp.gate import Gate
from basecamp.routes import problem
from basecamp.serve import listen
from basecamp.telemetry import Figures, Metrics
from dli.client.answer import check
from dli.core.client import BasecampClient, ServerConfig
from dli.exceptions import (
    CODES,
    DLIError,
    ErrorCode,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
)
from dli.main import app as cli

CARRIED = {"DLI-204", "DLI-402", "DLI-501", "DLI-502", "DLI-504"} | {
    f"DLI-80{digit}" for digit in range(1, 9)
}
"""Codes that an exception takes over from the answer; for all others the method decides."""

TEXT = "It went wrong at the far end"
FINDINGS = [{"pointer": "/parameters", "message": "is wrong"}]
SAID = f"{TEXT}; /parameters is wrong"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server whose one route raises the code that the name of the dataset ends with."""
    api = FastAPI()
    problem.add_handlers(api)

    @api.post("/api/v1/workflows/{name}/run")
    def refuse(name: str) -> None:
        details = {"errors": FINDINGS, "retry_after": 3600}  # nobody waits for that
        raise DLIError(TEXT, ErrorCode(f"DLI-{name[-3:]}"), details)

    gate = Gate(api, host_names=frozenset({"127.0.0.1"}), metrics=Metrics(lambda: Figures({}, {})))
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(gate, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


def name_of(code: ErrorCode) -> str:
    return f"circle.code.c{code.value[-3:]}"


def expected(code: ErrorCode) -> tuple[type[DLIError], str]:
    """Class and code of the exception, as the contract's table has them for `run`."""
    status = CODES[code].http_status
    if status == 403 or code is ErrorCode.WORKFLOW_OVERRIDDEN:
        kind: type[DLIError] = WorkflowPermissionError
    elif status == 404:
        kind = WorkflowNotFoundError
    else:
        kind = WorkflowExecutionError
    if code.value in CARRIED:
        return kind, code.value
    return kind, kind("").code.value


@pytest.mark.parametrize("code", list(ErrorCode))
def test_a_code_arrives_with_all_that_was_said(url: str, code: ErrorCode) -> None:
    name = name_of(code)
    answer = BasecampClient(ServerConfig(url, 10, "token")).workflow_run(name)
    assert (answer.success, answer.error, answer.code) == (False, SAID, code.value)
    assert answer.status_code == CODES[code].http_status
    with pytest.raises(DLIError) as caught:
        check(answer, "run", dataset_name=name)
    error = caught.value
    assert (type(error), error.code.value) == expected(code)
    assert (error.message, getattr(error, "dataset_name", None)) == (f"{name}: {SAID}", name)
    assert error.details["errors"] == FINDINGS
    assert error.details["request_id"]


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_shell_shows_a_code_in_one_line_and_fails(
    url: str, code: ErrorCode, tmp_path: Path
) -> None:
    (tmp_path / "dli.yaml").write_text('version: "1"\nproject:\n  name: circle\n')
    variables = {"DLI_SERVER_URL": url, "DLI_API_TOKEN": "token", "DLI_HOME": str(tmp_path)}
    words = ["workflow", "run", name_of(code)]
    result = CliRunner().invoke(cli, words, env=variables)  # type: ignore[arg-type]
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error [{expected(code)[1]}]: {name_of(code)}: {SAID}.")
    assert (result.exit_code, result.stdout) == (1, "")
