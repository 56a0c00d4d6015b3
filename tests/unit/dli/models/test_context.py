"""The execution context: who wins over whom, and what is never shown."""

import os
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from dli.exceptions import ConfigurationError
from dli.models.context import ExecutionContext
from dli.models.state import ExecutionMode

SERVER_BLOCK = "server: {url: 'https://file.example', timeout: 20, api_key: key-of-file}\n"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DLI_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dli.yaml").write_text(SERVER_BLOCK)
    return root


def test_variables_win_over_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {
        "PROJECT_PATH": str(tmp_path),
        "SERVER_URL": "http://env.example",
        "API_TOKEN": "token-of-env",
        "EXECUTION_MODE": "server",
        "TIMEOUT": "7",
        "DRY_RUN": "true",
        "DIALECT": "bigquery",
        "PARAMETERS": '{"limit": 5}',
        "VERBOSE": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"DLI_{name}", value)
    context = ExecutionContext()
    assert context.api_token == "token-of-env"
    assert context.model_dump() == {
        "project_path": tmp_path,
        "server_url": "http://env.example",
        "execution_mode": ExecutionMode.SERVER,
        "timeout": 7,
        "dry_run": True,
        "dialect": "bigquery",
        "parameters": {"limit": 5},
        "verbose": True,
    }


def test_argument_over_variable_over_env_file_over_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DLI_TIMEOUT=1\nDLI_DIALECT=spark\nDLI_VERBOSE=1\nOTHER=x\n")
    monkeypatch.setenv("DLI_TIMEOUT", "2")
    monkeypatch.setenv("DLI_DIALECT", "duckdb")
    context = ExecutionContext(timeout=3)
    assert (context.timeout, context.dialect, context.verbose) == (3, "duckdb", True)
    assert context.dry_run is False


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_TIMEOUT", "")
    monkeypatch.setenv("DLI_SERVER_URL", "")
    context = ExecutionContext()
    assert (context.timeout, context.server_url) == (300, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("execution_mode", "remote"), ("timeout", 0), ("timeout", 3601), ("dialect", "oracle")],
)
def test_a_wrong_value_is_refused_when_made_and_when_set(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        ExecutionContext(**{name: value})  # type: ignore[arg-type]
    context = ExecutionContext()
    with pytest.raises(ValidationError, match=name):
        setattr(context, name, value)


def test_a_variable_may_be_written_in_any_case(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("dli_timeout=11\nexport DLI_DIALECT='spark'  # quoted\nDLI_X\n")
    monkeypatch.setenv("Dli_Verbose", "yes")
    context = ExecutionContext()
    assert (context.timeout, context.dialect, context.verbose) == (11, "spark", True)


def test_parameters_are_json_wherever_they_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("""DLI_PARAMETERS='{"a": [1]}'\n""")
    assert ExecutionContext().parameters == {"a": [1]}
    assert ExecutionContext(parameters={"b": 2}).parameters == {"b": 2}
    monkeypatch.setenv("DLI_PARAMETERS", "{oops")
    with pytest.raises(ValidationError, match="parameters") as refused:
        ExecutionContext()
    assert "oops" not in str(refused.value)


def test_a_wrong_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "remote")
    with pytest.raises(ValidationError, match="execution_mode"):
        ExecutionContext()


def test_fields_can_be_set_later_with_plain_values() -> None:
    context = ExecutionContext()
    context.execution_mode = "mock"  # type: ignore[assignment]
    assert context.execution_mode is ExecutionMode.MOCK


def test_unknown_keys_are_ignored() -> None:
    assert not hasattr(ExecutionContext(other=1), "other")  # type: ignore[call-arg]


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_mock_mode_sets_the_mode_unless_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    assert ExecutionContext(mock_mode=True).execution_mode is ExecutionMode.MOCK
    assert ExecutionContext(mock_mode=False).execution_mode is ExecutionMode.SERVER
    both = ExecutionContext(mock_mode=True, execution_mode=ExecutionMode.LOCAL)
    assert both.execution_mode is ExecutionMode.LOCAL


@pytest.mark.parametrize("mode", ExecutionMode)
def test_reading_mock_mode_warns(mode: ExecutionMode) -> None:
    context = ExecutionContext(execution_mode=mode)
    with pytest.warns(DeprecationWarning, match="mock_mode is deprecated") as warned:
        is_mock = context.mock_mode
    assert is_mock is (mode is ExecutionMode.MOCK)
    assert warned[0].filename == __file__


def test_repr_shows_what_matters_and_never_a_secret() -> None:
    context = ExecutionContext(
        server_url="https://me:pass-word@host/a@b",
        api_token="secret-token",
        execution_mode=ExecutionMode.MOCK,
        parameters={"p": "pass-word"},
    )
    shown = repr(context)
    for part in (
        "ExecutionContext(",
        "server_url='https://host/a@b'",
        "execution_mode='mock'",
        "dialect='trino'",
    ):
        assert part in shown
    dumped = f"{context.model_dump()} {context.model_dump_json()}"
    assert "secret" not in f"{shown} {context} {dumped}"
    assert "pass-word" not in f"{shown} {context}"
    assert context.api_token == "secret-token"


def test_a_refused_token_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        ExecutionContext(api_token=["secret"])  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


def test_copies_keep_the_token() -> None:
    context = ExecutionContext(api_token="t", server_url="http://x")
    assert pickle.loads(pickle.dumps(context)) == context == context.model_copy()


def test_the_project_supplies_the_server(project: Path) -> None:
    context = ExecutionContext(project_path=project)
    assert context.server_url == "https://file.example"
    assert (context.timeout, context.api_token) == (20, "key-of-file")
    assert context.model_fields_set == {"project_path"}


def test_the_project_is_at_or_above_the_path_and_may_keep_its_key_apart(project: Path) -> None:
    (project / "datasets").mkdir()
    (project / ".dli.local.yaml").write_text("server: {api_key: key-of-mine, timeout: null}")
    context = ExecutionContext(project_path=project / "datasets", server_url=None)
    assert context.server_url == "https://file.example"
    assert (context.timeout, context.api_token) == (20, "key-of-mine")


def test_what_is_given_wins_over_the_project(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.setenv("DLI_API_TOKEN", "token-of-env")
    context = ExecutionContext(project_path=project, timeout=9)
    assert context.server_url == "https://file.example"
    assert (context.timeout, context.api_token) == (9, "token-of-env")


def test_the_key_of_the_project_is_for_its_server_only(project: Path) -> None:
    context = ExecutionContext(project_path=project, server_url="https://other.example")
    assert (context.server_url, context.api_token, context.timeout) == (
        "https://other.example",
        None,
        300,
    )


@pytest.mark.parametrize(
    "content",
    ["", "server:\n", "server: {timeout: 5, api_key: k}", "project: {name: n}"],
)
def test_a_project_without_server_supplies_nothing(project: Path, content: str) -> None:
    (project / "dli.yaml").write_text(content)
    context = ExecutionContext(project_path=project)
    assert (context.server_url, context.api_token, context.timeout) == (None, None, 300)


def test_a_directory_without_project_supplies_nothing(tmp_path: Path) -> None:
    assert ExecutionContext(project_path=tmp_path / "missing").server_url is None


@pytest.mark.parametrize("content", ["server: {url: [", "- a list"])
def test_a_project_file_that_cannot_be_read_is_an_error(project: Path, content: str) -> None:
    (project / "dli.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match="DLI-001") as refused:
        ExecutionContext(project_path=project)
    assert refused.value.config_path == project / "dli.yaml"
    assert ExecutionContext(project_path=project, server_url="http://x").server_url == "http://x"


def test_dli_home_is_the_project_when_no_path_is_given(
    monkeypatch: pytest.MonkeyPatch, project: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLI_HOME", str(project))
    context = ExecutionContext()
    assert (context.project_path, context.server_url) == (project, "https://file.example")
    assert ExecutionContext(project_path=tmp_path).project_path == tmp_path
