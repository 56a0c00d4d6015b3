"""Server settings are read strictly from the environment."""

from pathlib import Path

import pytest

from basecamp.rate import NO_LIMIT, Rate
from basecamp.settings import Settings
from dli.exceptions import ConfigurationError
from dli.outgoing import Destinations

PROJECT = Path("/project")


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings.from_env({}, project=PROJECT)
    assert (settings.host, settings.port) == ("127.0.0.1", 0)
    assert settings.state_dir == PROJECT / ".dli"
    assert settings.reconcile_seconds == 60


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(
        {
            "BASECAMP_HOST": "0.0.0.0",
            "BASECAMP_PORT": "8081",
            "BASECAMP_STATE_DIR": "/var/basecamp",
            "BASECAMP_ALLOW_REMOTE": "true",
            "BASECAMP_ALLOWED_HOSTS": "basecamp.example, Other.example",
            "BASECAMP_WORKER_SLOTS": "8",
            "BASECAMP_RECONCILE_SECONDS": "5",
            "BASECAMP_READ_RATE": "200/1000",
            "BASECAMP_CHANGE_RATE": "5/5",
            "BASECAMP_RUN_RATE": "0",
            "BASECAMP_TEMPLATE_ENV": "REGION,STAGE",
            "BASECAMP_LOG_LEVEL": "warning",
            "DLI_OUTGOING_ALLOWED": "10.1.0.0/16",
            "DLI_NOTIFY_PAGER": "json://x",
        },
        project=PROJECT,
    )
    assert settings == Settings(
        project=PROJECT,
        state_dir=Path("/var/basecamp"),
        host="0.0.0.0",
        port=8081,
        allow_remote=True,
        allowed_hosts=("basecamp.example", "Other.example"),
        worker_slots=8,
        reconcile_seconds=5,
        read_rate=Rate(200, 1000),
        change_rate=Rate(5, 5),
        run_rate=NO_LIMIT,
        template_env=("REGION", "STAGE"),
        log_level="WARNING",
        notify={"DLI_OUTGOING_ALLOWED": "10.1.0.0/16", "DLI_NOTIFY_PAGER": "json://x"},
        destinations=Destinations.named_in(["127.0.0.1"], "10.1.0.0/16"),
    )
    assert {"basecamp.example", "other.example", "localhost"} <= settings.host_names


def test_what_is_no_place_to_connect_to_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="DLI_OUTGOING_ALLOWED"):
        Settings.from_env({"DLI_OUTGOING_ALLOWED": "10.0.0.0/99"}, project=PROJECT)


def test_hosts_that_the_operator_names_may_be_inside() -> None:
    env = {"BASECAMP_AIRFLOW_URL": "http://airflow.intern:8080", "HTTPS_PROXY": "http://proxy:1"}
    found = Settings.from_env(env, project=PROJECT).destinations
    assert {"airflow.intern", "proxy"} <= found.hosts
    assert "127.0.0.1" not in found.hosts


def test_the_command_line_wins() -> None:
    env = {"BASECAMP_HOST": "localhost", "BASECAMP_PORT": "1"}
    settings = Settings.from_env(env, project=PROJECT, host="::1", port=2)
    assert (settings.host, settings.port) == ("::1", 2)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.com", ""])
def test_listening_elsewhere_needs_to_be_allowed(host: str) -> None:
    with pytest.raises(ConfigurationError, match="BASECAMP_ALLOW_REMOTE"):
        Settings.from_env({"BASECAMP_HOST": host}, project=PROJECT, host=host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("PORT", "٣"),
        ("WORKER_SLOTS", "0"),
        ("RECONCILE_SECONDS", "1.5"),
        ("ALLOW_REMOTE", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("READ_RATE", "51"),
        ("READ_RATE", "0/5"),
        ("CHANGE_RATE", "10/-50"),
        ("RUN_RATE", "٣/٣"),
    ],
)
def test_a_wrong_value_is_refused_by_name_alone(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env({f"BASECAMP_{name}": value}, project=PROJECT)
    assert f"BASECAMP_{name}" in caught.value.message
    assert value not in caught.value.message


def test_an_empty_variable_is_none() -> None:
    assert Settings.from_env({"BASECAMP_PORT": ""}, project=PROJECT).port == 0


AIRFLOW = {
    "BASECAMP_ENGINE": "airflow",
    "BASECAMP_AIRFLOW_URL": "http://127.0.0.1:8080/team",
    "BASECAMP_AIRFLOW_USERNAME": "basecamp",
    "BASECAMP_AIRFLOW_PASSWORD": "canary-of-a-password",
}


def test_the_account_on_airflow_is_not_in_any_text() -> None:
    settings = Settings.from_env(AIRFLOW, project=PROJECT)
    assert (settings.engine, settings.airflow_username) == ("airflow", "basecamp")
    assert settings.airflow_password == "canary-of-a-password"
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://host", "http://", "http://a:b@host", "http://host:99999"]
)
def test_airflow_needs_an_address(url: str) -> None:
    with pytest.raises(ConfigurationError, match="BASECAMP_AIRFLOW_URL") as refused:
        Settings.from_env(AIRFLOW | {"BASECAMP_AIRFLOW_URL": url}, project=PROJECT)
    assert not url or url not in refused.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"BASECAMP_AIRFLOW_PASSWORD": ""},
        {"BASECAMP_AIRFLOW_USERNAME": ""},
        {"BASECAMP_AIRFLOW_TOKEN": "t"},
    ],
)
def test_airflow_needs_exactly_one_account(change: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="BASECAMP_AIRFLOW_TOKEN"):
        Settings.from_env(AIRFLOW | change, project=PROJECT)


def test_a_managed_airflow_needs_no_address_and_takes_none() -> None:
    managed = {"BASECAMP_ENGINE": "airflow", "BASECAMP_AIRFLOW_MANAGED": "true"}
    settings = Settings.from_env(managed, project=PROJECT)
    assert settings.airflow_managed
    assert settings.airflow_environment is None
    with pytest.raises(ConfigurationError, match="exclude each other"):
        Settings.from_env(AIRFLOW | managed, project=PROJECT)
