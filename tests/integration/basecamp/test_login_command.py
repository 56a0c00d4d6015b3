"""`dli login` of people with a browser, and `dli token exchange` of a CI job, as processes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest

import file_keyring
import identity_provider
from identity_provider import JOB, Provider, browse

SUPPORT = Path(identity_provider.__file__).parent
WORKFLOWS = "/api/v1/workflows"


class Shell:
    """A machine of somebody who has no token yet."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.url = f"http://127.0.0.1:{port}"
        self.keyring = root / "keyring.json"
        own = ("DLI_", "BASECAMP_")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        self.env |= {
            "HOME": str(root),
            "PYTHONPATH": str(SUPPORT),
            "PYTHON_KEYRING_BACKEND": "file_keyring.FileKeyring",
            file_keyring.VARIABLE: str(self.keyring),
        }

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dli", *words],
            cwd=self.root,
            env=self.env | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(*words, **variables)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def login_by_hand(self) -> tuple[subprocess.Popen[str], str]:
        """A login under way, and the address that it asks somebody to open."""
        process = self.start("login", "--server", self.url, "--no-browser")
        assert process.stderr is not None
        assert process.stderr.readline() == "Open this address to log in:\n"
        return process, process.stderr.readline().strip()


@pytest.fixture
def shell(federated: Any, tmp_path: Path) -> Shell:
    root = tmp_path / "home"
    root.mkdir()
    return Shell(root, federated.port)


def browser(user: str) -> dict[str, str]:
    script = f"{sys.executable} {SUPPORT / 'identity_provider.py'} browse %s"
    return {"BROWSER": script, "BROWSER_USER": user}


def test_a_person_logs_in_with_the_browser(shell: Shell, federated: Any) -> None:
    code, out, err = shell.run("login", "--browser", "--server", shell.url, **browser("ana"))
    assert code == 0, err
    assert f"Logged in to {shell.url} as ana@example.com (owner of sales).\n" in out
    assert "You are logged in. You may close this page." in out  # what the browser shows
    (secret,) = json.loads(shell.keyring.read_text()).values()
    assert secret not in out + err
    assert shell.run("workflow", "list", DLI_SERVER_URL=shell.url)[0] == 0
    code, _, err = shell.run("token", "list", DLI_SERVER_URL=shell.url)
    assert (code, "DLI-803" in err) == (1, True)
    assert shell.run("logout", "--server", shell.url)[0] == 0
    assert federated.get(WORKFLOWS, token=secret).status == 401
    entries = federated.get("/api/v1/audit?actor=ana@example.com").body["entries"]
    assert [entry["action"] for entry in entries] == ["session.close", "session.login"]


def test_the_address_is_printed_and_not_opened(shell: Shell, provider: Provider) -> None:
    process, address = shell.login_by_hand()
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [provider.redirect_uri]
    assert len(asked["state"][0]) >= 32
    assert len(asked["nonce"][0]) >= 32
    assert "logged in" in browse(address, "bob")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "as bob@example.com (viewer of ops)" in out


def test_who_may_nothing_here_is_told(shell: Shell) -> None:
    code, _, err = shell.run("login", "--server", shell.url, **browser("eve"))
    assert code == 1
    assert "Error [DLI-803]: None of your groups may do anything on this server." in err
    assert not shell.keyring.exists()


def knock(address: str, **headers: str) -> int:
    try:
        with urlopen(Request(address, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_what_is_not_the_answer_to_this_login_does_not_end_it(
    shell: Shell, provider: Provider
) -> None:
    process, address = shell.login_by_hand()
    state = parse_qs(urlsplit(address).query)["state"][0]
    door = provider.redirect_uri
    rebound = {"Host": f"evil.example:{provider.redirect_port}"}
    assert knock(f"{door}?code=theirs") == 404
    assert knock(f"{door}?code=theirs&state={'x' * len(state)}") == 404
    assert knock(f"{door}?code=theirs&state={state}&state={state}") == 404
    assert knock(f"{door}/more?code=theirs&state={state}") == 404
    assert knock(f"{door}?code=theirs&state={state}", **rebound) == 404
    assert "logged in" in browse(address, "ana")
    assert process.communicate(timeout=60)[0].startswith("Logged in")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("error=access_denied", "The identity provider refused the login"),
        ("code=c&iss=https://evil.example", "The answer comes from another identity provider"),
        ("code=c", "The identity provider does not vouch for this login"),
    ],
)
def test_a_login_that_is_refused(shell: Shell, provider: Provider, answer: str, why: str) -> None:
    process, address = shell.login_by_hand()
    state = parse_qs(urlsplit(address).query)["state"][0]
    knock(f"{provider.redirect_uri}?state={state}&{answer}")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Error [DLI-502]: {why}" in err
    assert "Traceback" not in err
    assert not shell.keyring.exists()


def test_a_port_that_is_in_use_is_told(shell: Shell, provider: Provider) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", provider.redirect_port))
        taken.listen()
        code, _, err = shell.run("login", "--server", shell.url)
    assert code == 1
    assert f"Error [DLI-001]: The login needs port {provider.redirect_port}" in err


def test_a_login_that_cannot_be_kept_ends(shell: Shell, federated: Any) -> None:
    locked = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    code, _, err = shell.run("login", "--server", shell.url, **browser("ana"), **locked)
    assert code == 1
    assert "The keyring of this system cannot be used" in err
    assert federated.get("/api/v1/tokens").body["total_count"] == 0
    assert federated.get("/api/v1/tokens?ended=true").body["total_count"] == 1


def test_ctrl_c_ends_the_waiting(shell: Shell) -> None:
    process, _ = shell.login_by_hand()
    process.send_signal(2)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_token_from_stdin_goes_before_the_browser(
    shell: Shell, federated: Any, tmp_path: Path
) -> None:
    given = {"name": "ana", "role": "viewer", "teams": ["sales"]}
    token = federated.post("/api/v1/tokens", given).body["token"]
    found = subprocess.run(
        [sys.executable, "-m", "dli", "login", "--server", shell.url],
        cwd=shell.root,
        env=shell.env,
        input=f"{token}\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "as ana (viewer of sales)" in found.stdout


def test_a_job_exchanges_its_identity_token(
    shell: Shell, federated: Any, provider: Provider
) -> None:
    def exchange(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dli", "token", "exchange"],
            cwd=shell.root,
            env=shell.env | {"DLI_SERVER_URL": shell.url},
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    found = exchange(provider.signed(aud="basecamp-ci", **JOB) + "\n")
    assert found.returncode == 0, found.stderr
    token = found.stdout.strip()
    body = {"specs": [federated.spec("a.code")]}
    assert federated.post(f"{WORKFLOWS}/publish", body, token=token).status == 200
    other = exchange(provider.signed(aud="basecamp-ci", **JOB | {"ref": "refs/pull/1/merge"}))
    assert (other.returncode, other.stdout) == (1, "")
    assert "Error [DLI-502]" in other.stderr
    assert "Error [DLI-204]: There is no identity token on stdin" in exchange("").stderr
