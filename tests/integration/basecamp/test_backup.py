"""Backups of the state: made under a working server, put back whole, refused when not sound."""

import io
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from basecamp.app import Basecamp
from basecamp.backup import back_up, restore
from basecamp.settings import Settings
from basecamp.state_dir import StateInUseError
from basecamp.store import audit
from dli.exceptions import ConfigurationError
from dli.main import app
from identity import BOSS

NAME = "shop.sales.daily"


@pytest.fixture
def saved(site: Any, tmp_path: Path) -> Path:
    """A backup that was made while its server worked."""
    assert site.publish("shop.sales.code").status == 200
    assert site.register().status == 201
    site.end_run(site.start_run())
    target = tmp_path / "saved.tar.gz"
    back_up(site.settings, target)
    return target


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    return place(tmp_path / "elsewhere")


def place(folder: Path) -> Settings:
    folder.mkdir()
    return Settings(project=folder, state_dir=folder / "state")


@pytest.fixture
def reopened(site: Any, saved: Path, elsewhere: Settings) -> Iterator[Basecamp]:
    restore(elsewhere, saved)
    with Basecamp(elsewhere, engine=site.engine) as basecamp:
        yield basecamp


def names(basecamp: Basecamp) -> list[str]:
    records, _ = basecamp.site.workflows.list(BOSS)
    return [record["dataset_name"] for record in records]


def test_what_was_there_is_there_again(site: Any, saved: Path, reopened: Basecamp) -> None:
    assert names(reopened) == ["shop.sales.code", NAME]
    runs, count = reopened.site.runs.history(BOSS)
    assert (runs[0]["status"], count) == ("COMPLETED", 1)
    with reopened.database.read() as tx:
        assert audit.walk(tx).broken_id is None
    manual = reopened.settings.state_dir / "store" / "manual" / f"{NAME}.yaml"
    assert (
        manual.read_bytes()
        == (site.settings.state_dir / "store" / "manual" / f"{NAME}.yaml").read_bytes()
    )


def test_a_restored_server_has_a_token_of_its_own(site: Any, reopened: Basecamp) -> None:
    assert reopened.token != site.basecamp.token


def test_what_changed_later_is_not_in_it(site: Any, saved: Path, elsewhere: Settings) -> None:
    assert site.register("shop.sales.later").status == 201
    restore(elsewhere, saved)
    with Basecamp(elsewhere, engine=site.engine) as basecamp:
        assert "shop.sales.later" not in names(basecamp)


def test_it_holds_no_token_and_is_closed_to_others(site: Any, saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    with tarfile.open(saved) as archive:
        files = [archive.extractfile(member) for member in archive if member.isfile()]
        content = b"".join(file.read() for file in files if file is not None)
    assert site.basecamp.token.encode() not in content
    assert not list(saved.parent.glob(".backup-*"))


def test_a_file_that_is_there_is_replaced_only_on_demand(site: Any, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(ConfigurationError, match="exists already"):
        back_up(site.settings, saved)
    assert saved.read_bytes() == before
    back_up(site.settings, saved, overwrite=True)
    assert saved.read_bytes() != before


def test_a_state_at_work_is_not_replaced(site: Any, saved: Path) -> None:
    with pytest.raises(StateInUseError):
        restore(site.settings, saved, overwrite=True)
    assert site.get("/readyz").status == 200


def test_a_state_that_is_there_is_moved_aside_on_demand(
    site: Any, saved: Path, elsewhere: Settings
) -> None:
    with Basecamp(elsewhere, engine=site.engine) as basecamp:
        token = basecamp.token
    with pytest.raises(ConfigurationError, match="--force"):
        restore(elsewhere, saved)
    aside = restore(elsewhere, saved, overwrite=True)
    assert aside is not None
    assert (aside / "basecamp.db").exists()
    with Basecamp(elsewhere, engine=site.engine) as basecamp:
        assert (names(basecamp)[1], basecamp.token) == (NAME, token)


def packed(target: Path, **files: bytes) -> Path:
    with tarfile.open(target, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


def manifest(revision: str = "0001", form: int = 1) -> bytes:
    return json.dumps({"format": form, "revision": revision}).encode()


def test_files_that_are_no_sound_backup_change_nothing(
    site: Any, saved: Path, elsewhere: Settings, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(saved.read_bytes()[:2_000])
    plain = tmp_path / "plain"
    plain.write_text("no archive")
    bad = [
        (cut, "damaged"),
        (plain, "damaged"),
        (tmp_path / "none", "no such file"),
        (packed(tmp_path / "a"), "damaged"),
        (packed(tmp_path / "b", manifest_json=b"{}"), "damaged"),
        (packed(tmp_path / "c", manifest_json=manifest()), "damaged"),
        (packed(tmp_path / "d", manifest_json=manifest(), basecamp_db=b"x" * 5000), "damaged"),
        (packed(tmp_path / "e", manifest_json=manifest("9999")), "newer version"),
        (packed(tmp_path / "f", manifest_json=manifest(form=2)), "newer version"),
    ]
    with Basecamp(elsewhere, engine=site.engine):
        pass
    before = sorted(elsewhere.state_dir.iterdir())
    for file, message in bad:
        with pytest.raises(ConfigurationError, match=message):
            restore(elsewhere, file, overwrite=True)
        assert sorted(elsewhere.state_dir.iterdir()) == before, file


def test_a_file_cannot_leave_the_folder(elsewhere: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "evil"
    with tarfile.open(archive, "w:gz") as written:
        entry = tarfile.TarInfo("../../escaped")
        written.addfile(entry, io.BytesIO())
    with pytest.raises(ConfigurationError, match="damaged"):
        restore(elsewhere, archive)
    assert not (tmp_path / "escaped").exists()


def test_a_state_in_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    settings = Settings(
        project=tmp_path,
        state_dir=tmp_path / "state",
        database_url="postgresql://h/db",
        spec_store_url="s3://b/p",
    )
    for act in (back_up, restore):
        with pytest.raises(ConfigurationError, match="pg_dump"):
            act(settings, tmp_path / "file")


def test_it_tells_the_revision_of_its_store(site: Any, saved: Path) -> None:
    with site.basecamp.database.read() as tx:
        revision = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    with tarfile.open(saved) as archive:
        told = archive.extractfile("manifest.json")
        assert told is not None
        assert json.load(told)["revision"] == revision


def dli(project: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--path", str(project)])  # type: ignore[arg-type]


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "dli.yaml").write_text("version: '1'\n")
    monkeypatch.chdir(tmp_path)
    nothing = dli(root, "backup")
    assert (nothing.exit_code, "no state" in nothing.stderr) == (1, True)
    with Basecamp(Settings(project=root, state_dir=root / ".dli")):
        at_work = dli(root, "restore", "saved.tar.gz", "--force")
        assert (at_work.exit_code, "no such file" in at_work.stderr) == (1, True)
        file = dli(root, "backup", "saved.tar.gz").stdout.strip()
        at_work = dli(root, "restore", file, "--force")
        assert (at_work.exit_code, "dli down" in at_work.stderr) == (1, True)
    done = dli(root, "backup")
    assert (done.exit_code, done.stderr) == (0, "")
    file = done.stdout.strip()
    assert Path(file).exists()
    assert dli(root, "backup", file).exit_code == 1
    assert dli(root, "backup", file, "--force").exit_code == 0
    refused = dli(root, "restore", file)
    assert (refused.exit_code, "--force" in refused.stderr) == (1, True)
    restored = dli(root, "restore", file, "--force")
    assert (restored.exit_code, "replaced-" in restored.stderr) == (0, True)
    Basecamp(Settings(project=root, state_dir=root / ".dli")).stop()
