"""`dli token`, `dli login` and `dli logout` on a real server, with a keyring of the test."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
import pytest
from click.testing import CliRunner, Result
from keyring.backend import KeyringBackend

from dli.api.workflow import WorkflowAPI
from dli.credential import keep
from dli.main import app
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode


class MemoryKeyring(KeyringBackend):
    """A keyring for one test; `is_locked` makes it refuse."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.kept[service, username]

    def _open(self) -> None:
        self.asked += 1
        if self.is_locked:
            raise keyring.errors.KeyringLocked


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, own = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def url(site: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a server, which nothing in the environment has a token for."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name in ("DLI_SERVER_URL", "DLI_API_TOKEN", "DLI_HOME"):
        monkeypatch.delenv(name, raising=False)
    return f"http://127.0.0.1:{site.port}"


def dli(*words: str, typed: str | None = None, **variables: str) -> Result:
    return CliRunner().invoke(app, list(words), input=typed, env=variables)  # type: ignore[arg-type]


def admin(site: Any, *words: str) -> Result:
    url = f"http://127.0.0.1:{site.port}"
    return dli("token", *words, DLI_SERVER_URL=url, DLI_API_TOKEN=site.basecamp.token)


def made(site: Any, name: str = "ana", *more: str) -> dict[str, Any]:
    words = ("create", name, "--role", "owner", "--team", "sales", "--format", "json", *more)
    found = admin(site, *words)
    assert found.exit_code == 0, found.output
    record: dict[str, Any] = json.loads(found.stdout)
    return record


def test_a_token_is_made_and_shown_once(site: Any, url: str) -> None:
    found = admin(
        site,
        "create",
        "ci",
        "--role",
        "operator",
        "--team",
        "sales",
        "--team",
        "ops",
        "--scope",
        "run:create",
        "--also",
        "sql:run",
        "--expires-in",
        "2d",
    )
    assert found.exit_code == 0, found.output
    (secret,) = [line for line in found.stdout.splitlines() if line.startswith("bcp_api_")]
    assert site.get("/api/v1/health/extended", token=secret).status == 200
    listed = admin(site, "list")
    assert "ops, sales" in listed.stdout
    assert secret not in listed.output
    assert admin(site, "list", "--format", "json").stdout.count("token_id") == 1


def test_a_token_for_publishing_alone(site: Any, url: str) -> None:
    words = ("--role", "viewer", "--team", "*", "--also", "code:publish", "--only-also")
    assert "scopes      code:publish\n" in admin(site, "create", "ci", *words).stdout
    assert admin(site, "create", "ci", "--role", "viewer", "--only-also").exit_code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--expires-in", "soon"), "Error [DLI-204]: --expires-in cannot be read. Write hours"),
        (("--expires-in", "400d"), "Error [DLI-204]"),
        (("--also", "token:admin"), "Error [DLI-204]: Scopes of the role owner are"),
    ],
)
def test_a_token_that_cannot_be_made(
    site: Any, url: str, words: tuple[str, ...], message: str
) -> None:
    found = admin(site, "create", "x", "--role", "owner", "--team", "sales", *words)
    assert found.exit_code == 1
    assert message in found.stderr


def test_rotating_and_revoking(site: Any, url: str) -> None:
    old = made(site)
    rotated = admin(site, "rotate", old["token_id"], "--overlap", "1", "--format", "json")
    new = json.loads(rotated.stdout)
    assert site.get("/api/v1/workflows", token=old["token"]).status == 200
    revoked = admin(site, "revoke", "ana", "--reason", "left")
    assert revoked.stdout.count(": revoked.") == 2
    assert {site.get("/api/v1/workflows", token=t["token"]).status for t in (old, new)} == {401}
    assert admin(site, "list").stderr.strip() == "No token found."
    assert admin(site, "list", "--all").stdout.count("revoked") == 2
    assert "no such token" in admin(site, "revoke", "tok_none").stderr


def test_who_is_no_admin_is_refused(site: Any, url: str) -> None:
    token = made(site)["token"]
    found = dli("token", "list", DLI_SERVER_URL=url, DLI_API_TOKEN=token)
    assert found.exit_code == 1
    assert found.stderr.startswith("Error [DLI-803]: This needs the scope token:admin")


def test_a_login_is_kept_in_the_keyring_and_used(
    site: Any, url: str, ring: MemoryKeyring, tmp_path: Path
) -> None:
    token = made(site)["token"]
    found = dli("login", "--server", url, typed=f"{token}\n")
    assert found.exit_code == 0, found.output
    assert f"Logged in to {url} as ana (owner of sales)." in found.stdout
    assert token not in found.output
    assert ring.kept == {("dli", url): token}
    assert not [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and token in path.read_text(errors="replace")
    ]
    assert dli("workflow", "list", DLI_SERVER_URL=url).exit_code == 0
    context = ExecutionContext(execution_mode=ExecutionMode.SERVER, server_url=url)
    assert WorkflowAPI(context).list_workflows().workflows == []

    out = dli("logout", "--server", url)
    assert out.stdout == f"Logged out of {url}.\n"
    assert ring.kept == {}
    assert "DLI-502" in dli("workflow", "list", DLI_SERVER_URL=url).stderr
    assert "no login" in dli("logout", "--server", url).stderr
    entries = site.get("/api/v1/audit?actor=ana").body["entries"]
    assert [entry["action"] for entry in entries] == ["session.close", "session.open"]


def test_a_token_in_the_arguments_is_warned_of(site: Any, url: str, ring: MemoryKeyring) -> None:
    found = dli("login", "--token", made(site)["token"], DLI_SERVER_URL=url)
    assert found.exit_code == 0
    assert "list of processes" in found.stderr


def test_another_token_that_comes_first_is_told(site: Any, url: str, ring: MemoryKeyring) -> None:
    token, other = made(site)["token"], made(site, "bo")["token"]
    found = dli("login", typed=token, DLI_SERVER_URL=url, DLI_API_TOKEN=other)
    assert found.exit_code == 0
    assert "another token" in found.stderr


@pytest.mark.parametrize("text", ["", "wrong", "\n", "bcp \x1b"])
def test_a_token_that_is_none_is_not_kept(url: str, ring: MemoryKeyring, text: str) -> None:
    found = dli("login", "--server", url, typed=text)
    assert found.exit_code == 1
    assert found.stderr.startswith(("Error [DLI-001]", "Error [DLI-502]"))
    assert ring.kept == {}


def test_a_locked_keyring_is_told_with_another_way(
    site: Any, url: str, ring: MemoryKeyring
) -> None:
    token = made(site)["token"]
    dli("login", "--server", url, typed=token)
    ring.is_locked = True
    found = dli("workflow", "list", DLI_SERVER_URL=url)
    assert found.exit_code == 1
    assert "Error [DLI-001]: The keyring of this system cannot be used" in found.stderr
    assert "DLI_API_TOKEN" in found.stderr


def test_the_keyring_is_not_asked_about_other_servers(
    site: Any, url: str, ring: MemoryKeyring
) -> None:
    dli("login", "--server", url, typed=made(site)["token"])
    ring.asked = 0
    dli("workflow", "list", DLI_SERVER_URL="http://127.0.0.1:9")
    assert ring.asked == 0


def test_a_server_that_is_gone_is_logged_out_of(site: Any, url: str, ring: MemoryKeyring) -> None:
    keep("http://127.0.0.1:9", "bcp_old", os.environ)
    found = dli("logout", "--server", "http://127.0.0.1:9")
    assert found.exit_code == 0
    assert "The server was not told" in found.stderr
    assert ring.kept == {}


def test_without_a_server_a_login_has_no_address(url: str, ring: MemoryKeyring) -> None:
    found = dli("login", typed="x")
    assert found.exit_code == 1
    assert "Name it with --server." in found.stderr
