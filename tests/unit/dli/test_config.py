"""Where settings come from, which one wins, and which server they lead to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dli.config import (
    Settings,
    check_server_url,
    current_environment,
    find_project_root,
    is_alive,
    make_private,
    read_server_state,
    resolve_server,
    same_server,
    server_block,
)
from dli.exceptions import ConfigurationError, ErrorCode

RUNNING = "http://127.0.0.1:4711"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    (home / ".dli").mkdir(parents=True)
    return {"HOME": str(home)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: flights}\n")
    return project


def run_server(root: Path, pid: int = os.getpid()) -> None:
    """As if `dli up` had started one for the project."""
    (root / ".dli").mkdir(exist_ok=True)
    state = {"url": RUNNING, "token": "t0ken", "pid": pid}
    (root / ".dli" / "basecamp.json").write_text(json.dumps(state))


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_project_is_the_nearest_one_at_or_above(root: Path) -> None:
    below = root / "datasets" / "deep"
    below.mkdir(parents=True)
    assert find_project_root(below, {}) == root
    assert find_project_root(root, {}) == root
    assert find_project_root(root.parent, {}) is None


def test_dli_home_and_the_working_directory_are_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_project_root(None, {"DLI_HOME": str(root)}) == root
    monkeypatch.chdir(root)
    assert find_project_root(None, {}) == root
    assert find_project_root(None, {"DLI_HOME": str(root.parent)}) is None


def test_a_named_file_replaces_the_lookup(root: Path, env: dict[str, str]) -> None:
    other = root.parent / "other.yaml"
    other.write_text("server: {url: 'http://named:1'}\n")
    env["DLI_CONFIG_FILE"] = str(other)
    found = find_project_root(root, env)
    assert found == root.parent
    server = resolve_server(found, env)
    assert server is not None
    assert (server.url, server.source) == ("http://named:1", "other.yaml")
    env["DLI_CONFIG_FILE"] = str(root / "nothing.yaml")
    with pytest.raises(ConfigurationError) as caught:
        find_project_root(root, env)
    assert caught.value.code is ErrorCode.CONFIG_NOT_FOUND


def test_each_layer_wins_over_those_below_it(root: Path, env: dict[str, str]) -> None:
    def dialect(flags: dict[str, str] | None = None) -> tuple[object, str]:
        found = Settings(root, env, flags or {}).get("defaults.dialect")
        assert found is not None
        return found.value, found.source

    assert dialect() == ("trino", "default")
    (Path(env["HOME"]) / ".dli" / "config.yaml").write_text("defaults: {dialect: spark}")
    assert dialect() == ("spark", "~/.dli/config.yaml")
    (root / "dli.yaml").write_text("defaults: {dialect: duckdb}")
    assert dialect() == ("duckdb", "dli.yaml")
    (root / ".dli.local.yaml").write_text("defaults: {dialect: snowflake}")
    assert dialect() == ("snowflake", ".dli.local.yaml")
    env["DLI_DIALECT"] = "bigquery"
    assert dialect() == ("bigquery", "environment")
    assert dialect({"defaults.dialect": "trino"}) == ("trino", "flag")


def test_an_empty_value_does_not_hide_the_one_below(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text("defaults: {dialect: duckdb}")
    (root / ".dli.local.yaml").write_text("defaults: {dialect: }")
    env["DLI_DIALECT"] = ""
    found = Settings(root, env).get("defaults.dialect")
    assert found is not None
    assert (found.value, found.source) == ("duckdb", "dli.yaml")


def test_files_may_name_variables(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text(
        "server: {url: 'http://${HOST:-h}:1', api_key: '${KEY}', timeout: '${TIME:-7}'}"
    )
    with pytest.raises(ConfigurationError, match=r"server\.api_key \(dli\.yaml\).* KEY"):
        resolve_server(root, env)
    assert server_block(root, env) == {"url": "http://h:1", "timeout": "7"}
    shown = {setting.key: setting.shown for setting in Settings(root, env)}
    assert (shown["server.url"], shown["server.api_key"]) == ("http://h:1", "***")
    server = resolve_server(root, {**env, "KEY": "k", "HOST": "other"})
    assert server is not None
    assert (server.url, server.token, server.timeout) == ("http://other:1", "k", 7)


def test_an_unknown_key_has_no_value(root: Path, env: dict[str, str]) -> None:
    assert Settings(root, env).get("no.such.key") is None


def test_no_secret_is_shown(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text(
        "server: {url: 'http://h', api_key: s3cret}\n"
        "environments: {dev: {connection_string: 'trino://me:s3cret@h', schema: s}}\n"
    )
    env["DLI_API_TOKEN"] = "t0ps3cret"
    settings = Settings(root, env)
    shown = {setting.key: setting.shown for setting in settings}
    assert shown["server.api_key"] == "***"
    assert shown["environments.dev.connection_string"] == "***"
    assert shown["environments.dev.schema"] == "s"
    assert shown["server.url"] == "http://h"
    assert "s3cret" not in "".join(map(repr, [*settings, settings, settings.server()]))
    assert {s.key: s.shown for s in Settings(None, {"HOME": env["HOME"]})}["server.api_key"] is None


def test_environments_are_merged_by_name(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text("environments: {dev: {catalog: a, schema: b}, prod: }")
    (root / ".dli.local.yaml").write_text("environments: {dev: {schema: mine}}")
    found = Settings(root, env).environments()
    assert found == {"dev": {"catalog": "a", "schema": "mine"}, "prod": {}}
    assert current_environment({}) == "dev"
    assert current_environment({"DLI_ENV": "prod"}) == "prod"


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "a: [", "a: !!python/object:os.system x", "[" * 5_000, "x" * 1_100_000, "\x00"],
    ids=["list", "open", "tag", "deep", "large", "binary"],
)
def test_a_file_that_cannot_be_read_is_named(root: Path, env: dict[str, str], text: str) -> None:
    (root / "dli.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        Settings(root, env).get("project.name")
    assert str(root / "dli.yaml") in str(caught.value)
    assert caught.value.code is ErrorCode.CONFIG_INVALID


def test_no_file_is_read_when_a_layer_above_has_the_value(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text("a: [")
    env |= {"DLI_SERVER_URL": "http://h", "DLI_API_TOKEN": "k", "DLI_TIMEOUT": "7"}
    server = resolve_server(root, env)
    assert server is not None
    assert (server.url, server.token, server.timeout) == ("http://h", "k", 7)


def test_a_running_server_needs_no_file(root: Path, env: dict[str, str]) -> None:
    (root / "dli.yaml").write_text("a: [")
    run_server(root)
    server = resolve_server(root, env)
    assert server is not None
    assert (server.url, server.token, server.source) == (RUNNING, "t0ken", "dli up")


def test_the_order_of_servers(root: Path, env: dict[str, str]) -> None:
    assert resolve_server(root, env) is None
    assert resolve_server(None, env) is None
    (root / "dli.yaml").write_text("server: {url: 'http://file:1/', api_key: f1lekey, timeout: 9}")
    server = resolve_server(root, env)
    assert server is not None
    assert (server.url, server.token, server.timeout) == ("http://file:1", "f1lekey", 9)
    run_server(root)
    server = resolve_server(root, env)
    assert server is not None
    assert (server.url, server.token, server.timeout) == (RUNNING, "t0ken", 30)
    env["DLI_SERVER_URL"] = "http://env:1"
    server = resolve_server(root, env)
    assert server is not None
    assert (server.url, server.token, server.timeout) == ("http://env:1", "f1lekey", 9)
    env["DLI_API_TOKEN"] = "envkey"
    server = resolve_server(root, env)
    assert server is not None
    assert server.token == "envkey"


def test_the_generated_token_goes_to_its_own_server_only(root: Path, env: dict[str, str]) -> None:
    run_server(root)
    env["DLI_SERVER_URL"] = "http://elsewhere:4711"
    server = resolve_server(root, env)
    assert server is not None
    assert server.token is None
    env["DLI_SERVER_URL"] = "http://localhost:4711"
    server = resolve_server(root, env)
    assert server is not None
    assert server.token == "t0ken"


def test_a_server_whose_process_is_gone_does_not_run(root: Path, env: dict[str, str]) -> None:
    run_server(root, pid=dead_pid())
    assert read_server_state(root) is None
    assert resolve_server(root, env) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"url": 1}', '{"url":"u","token":"t","pid":"x"}']
)
def test_a_state_file_that_says_nothing_is_no_server(root: Path, text: str) -> None:
    (root / ".dli").mkdir()
    (root / ".dli" / "basecamp.json").write_text(text)
    assert read_server_state(root) is None


@pytest.mark.parametrize("pid", [0, -1])
def test_a_pid_that_means_a_group_is_no_server(root: Path, pid: int) -> None:
    run_server(root, pid=pid)
    assert read_server_state(root) is None


@pytest.mark.parametrize("timeout", ["0", "3601", "soon", "-1", "1.5"])
def test_a_timeout_out_of_range_is_refused(env: dict[str, str], timeout: str) -> None:
    env |= {"DLI_SERVER_URL": "http://h", "DLI_TIMEOUT": timeout}
    with pytest.raises(ConfigurationError, match=r"server\.timeout \(environment\)"):
        resolve_server(None, env)


@pytest.mark.parametrize(
    "url",
    ["h:1", "ftp://h", "http://", "http://u:p4ss@h", "http://h?token=p4ss", "http://h:x", 7, None],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_server_url(url)
    assert "p4ss" not in str(caught.value)


def test_names_of_this_machine_mean_the_same_server() -> None:
    assert same_server("http://localhost:1", "http://127.0.0.1:1/")
    assert same_server("http://[::1]:1", "http://localhost:1")
    assert not same_server("http://localhost:1", "http://localhost:2")
    assert not same_server("http://localhost:1", "https://localhost:1")
    assert not same_server("http://localhost.evil:1", "http://localhost:1")


def test_a_process_that_has_ended_and_waits_to_be_collected_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_alive(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid)


def test_what_is_made_is_for_its_owner_only_up_to_what_was_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = tmp_path / ".dli" / "warehouse" / ".spill"
    make_private(made)
    make_private(made)
    modes = [folder.stat().st_mode & 0o777 for folder in (made, *made.parents[:3])]
    assert modes == [0o700, 0o700, 0o700, 0o755]
