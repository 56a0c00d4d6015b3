"""The managed Airflow listens on this machine only, and its secrets stay with their owner."""

import configparser
import json
import socket
from pathlib import Path

import pytest

from basecamp.engines.airflow.configuration import Configuration, Credentials, free_port


def written(home: Path, database_url: str | None = None) -> configparser.ConfigParser:
    credentials = Credentials.at(home / "credentials.json")
    Configuration(home, "file:///specs", 18080, credentials, database_url).write()
    parser = configparser.ConfigParser()
    parser.read(home / "airflow.cfg")
    return parser


def test_the_api_listens_on_the_loopback_and_tasks_find_it_there(tmp_path: Path) -> None:
    config = written(tmp_path)
    assert (config["api"]["host"], config["api"]["port"]) == ("127.0.0.1", "18080")
    assert config["core"]["execution_api_server_url"] == "http://127.0.0.1:18080/execution/"
    assert config["core"]["load_examples"] == "False"


def test_files_with_secrets_are_closed_to_others(tmp_path: Path) -> None:
    written(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    names = ("airflow.cfg", "credentials.json", "passwords.json")
    assert modes == dict.fromkeys(names, 0o600)


def test_keys_and_password_survive_and_differ_between_homes(tmp_path: Path) -> None:
    first = Credentials.at(tmp_path / "one.json")
    assert Credentials.at(tmp_path / "one.json") == first
    assert Credentials.at(tmp_path / "two.json").jwt_secret != first.jwt_secret
    assert first.password not in repr(written(tmp_path))


def test_the_account_of_the_password_file_is_an_admin(tmp_path: Path) -> None:
    config = written(tmp_path)
    accounts = json.loads((tmp_path / "passwords.json").read_text())
    (name,) = accounts
    assert config["core"]["simple_auth_manager_users"] == f"{name}:admin"


def test_metadata_lies_in_the_home_or_where_it_is_told(tmp_path: Path) -> None:
    assert written(tmp_path)["database"]["sql_alchemy_conn"] == f"sqlite:///{tmp_path}/airflow.db"
    url = "postgresql+psycopg2://me:a%40b@127.0.0.1/airflow"
    assert written(tmp_path, database_url=url)["database"]["sql_alchemy_conn"] == url


def test_specs_come_from_the_store(tmp_path: Path) -> None:
    (bundle,) = json.loads(written(tmp_path)["dag_processor"]["dag_bundle_config_list"])
    assert bundle["kwargs"] == {"store_url": "file:///specs"}


def test_a_change_of_the_store_shows_at_once_and_its_copy_lies_in_the_home(
    tmp_path: Path,
) -> None:
    config = written(tmp_path)
    assert config["core"]["min_serialized_dag_update_interval"] == "0"
    assert config["dag_processor"]["refresh_interval"] == "10"
    assert config["dag_processor"]["dag_bundle_storage_path"] == str(tmp_path / "bundles")


@pytest.mark.parametrize("is_taken", [False, True])
def test_the_port_of_last_time_is_used_again_while_it_is_free(is_taken: bool) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        preferred = listener.getsockname()[1]
        if is_taken:
            listener.listen()
            assert free_port(preferred) != preferred
            return
    assert free_port(preferred) == preferred


def test_other_settings_are_told_from_those_of_last_time(tmp_path: Path) -> None:
    credentials = Credentials.at(tmp_path / "credentials.json")
    first = Configuration(tmp_path, "file:///specs", 18080, credentials)
    assert not first.is_written
    first.write()
    assert first.is_written
    assert not Configuration(tmp_path, "file:///others", 18080, credentials).is_written
