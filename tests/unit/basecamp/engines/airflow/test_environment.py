"""The lock of the managed Airflow holds what we need, and is installed as it is or not at all."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from basecamp.engines.airflow import distribution, environment
from basecamp.engines.airflow.environment import AirflowEnvironment, AirflowInstallError

ROOT = Path(__file__).parents[5]


def names(requirements: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", match[0]).lower() for match in found if match}


def test_the_lock_holds_what_airflow_and_our_code_in_it_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"].get("airflow", ())]
    wanted += environment.LOCK.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    assert names(wanted) - names(list(environment._pins())) == set()


def test_every_package_of_the_lock_has_a_version_and_hashes() -> None:
    pins = list(environment._pins())
    assert len(pins) > 100
    assert [pin for pin in pins if not re.match(r"\S+==\S+ (;.*)?\\\n    --hash=", pin)] == []


def test_what_is_installed_already_is_left_alone(tmp_path: Path) -> None:
    place = AirflowEnvironment(tmp_path)
    (tmp_path / "installed.json").write_text(json.dumps(place._wanted()))
    said: list[str] = []
    place.install(said.append)
    assert place.is_installed
    assert said == []


def test_a_failed_installation_says_why_and_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lock").write_text("uv==1 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(environment, "LOCK", tmp_path / "lock")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(
        os, "environ", {k: v for k, v in os.environ.items() if k != "PIP_FIND_LINKS"}
    )
    place = AirflowEnvironment(tmp_path / "venv")
    said: list[str] = []
    with pytest.raises(AirflowInstallError, match=r"could not be installed: .*uv==1"):
        place.install(said.append)
    assert any("pip takes its place" in line for line in said)
    assert not place.is_installed


def test_our_own_files_work_where_they_are_copied_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for an installation from a wheel; this one is editable, so its files are named here."""

    class Installed:
        files = tuple(path.relative_to(ROOT / "src") for path in (ROOT / "src").rglob("*.py*"))

        def locate_file(self, file: Path) -> Path:
            return ROOT / "src" / file

    monkeypatch.setattr(distribution, "_own", Installed)
    (tmp_path / "dli-0.0.1.dist-info").mkdir()
    distribution.copy_into(tmp_path)
    probe = "import dli, sys; print(dli.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {probe}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "dli" / "__init__.py")
    assert not list(tmp_path.glob("*.dist-info"))
