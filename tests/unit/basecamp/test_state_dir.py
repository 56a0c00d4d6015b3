"""The state directory is closed to others and has one user."""

from pathlib import Path

import pytest

from basecamp import state_dir
from basecamp.auth import load_token
from basecamp.state_dir import StateInUseError, StateLock
from dli.exceptions import ConfigurationError


def test_the_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    state_dir.prepare(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_others_may_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    state_dir.prepare(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(ConfigurationError):
        state_dir.prepare(tmp_path)


def test_one_holder_at_a_time_and_the_other_learns_whom(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with StateLock(path):
        pid = int(path.read_text())
        with pytest.raises(StateInUseError) as caught, StateLock(path):
            pass
        assert caught.value.pid == pid
    with StateLock(path):
        assert path.exists()


def test_a_token_is_made_once_and_kept(tmp_path: Path) -> None:
    token = load_token(tmp_path / "token")
    assert len(token) > 40
    assert load_token(tmp_path / "token") == token
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


@pytest.mark.parametrize(("text", "mode"), [("x" * 40, 0o640), ("", 0o600), ("short", 0o600)])
def test_a_token_file_that_is_no_secret_is_refused(tmp_path: Path, text: str, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigurationError):
        load_token(path)


def test_there_is_no_way_back_from_airflow_while_it_may_fire(tmp_path: Path) -> None:
    state_dir.note_engine(tmp_path, "airflow")
    state_dir.check_engine(tmp_path, "airflow")
    with pytest.raises(ConfigurationError, match="no way back"):
        state_dir.check_engine(tmp_path, "embedded")
    (tmp_path / "engine").unlink()
    state_dir.check_engine(tmp_path, "embedded")


def test_the_way_to_airflow_is_open(tmp_path: Path) -> None:
    state_dir.note_engine(tmp_path, "embedded")
    state_dir.check_engine(tmp_path, "airflow")
