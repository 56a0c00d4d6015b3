"""What docs/airflow.md tells people to type works, on an Airflow that was there before."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from basecamp.engines.airflow.configuration import Configuration, Credentials, Owner
from basecamp.engines.airflow.environment import LOCK
from basecamp.engines.airflow.home import AirflowHome
from managed_airflow import ENVIRONMENT
from shell import Shell

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "airflow.md").read_text(encoding="utf-8")
MANAGED, MIGRATE, INSTALL, AIRFLOW, BASECAMP = re.findall(
    r"^```shell\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)
UV = ENVIRONMENT / "bin" / "uv"
VERSION = "3.3.2"


@dataclass(frozen=True)
class Site:
    """A project, and beside it an Airflow that nobody but its own people look after."""

    project: Path
    environment: Path
    home: AirflowHome


def uv(*words: str) -> str:
    done = subprocess.run(
        [UV, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def exports(text: str) -> dict[str, str]:
    lines = (shlex.split(line) for line in text.splitlines() if line.startswith("export "))
    return dict(words[1].split("=", 1) for words in lines)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("page")
    AirflowHome(folder / "unused", ENVIRONMENT).install()  # for its uv
    environment, project = folder / "venv", folder / "shop"
    uv("venv", "--quiet", "--python", str(ENVIRONMENT / "bin" / "python"), str(environment))
    python = ("--python", str(environment / "bin" / "python"))
    uv("pip", "install", *python, "--constraint", str(LOCK), f"apache-airflow=={VERSION}")
    shutil.copytree(ROOT / "examples" / "flights", project, ignore=shutil.ignore_patterns(".dli"))
    home = AirflowHome(folder / "home", environment)
    yield Site(project, environment, home)
    home.stop()


def test_the_page_names_the_release_that_is_tested() -> None:
    assert f"Tested with {VERSION}." in PAGE
    assert f"apache-airflow=={VERSION}" in LOCK.read_text()


def test_what_it_says_of_airflows_settings_is_what_the_managed_one_uses(tmp_path: Path) -> None:
    keys = Credentials.at(tmp_path / "credentials.json")
    sections = Configuration(tmp_path, "file:///srv/shop/.dli/store", 1, keys).sections()
    given = exports(AIRFLOW)
    assert given.pop("DLI_PROJECT") == "/srv/shop"
    bundles = given.pop("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST")
    assert json.loads(bundles) == json.loads(
        str(sections["dag_processor"].pop("dag_bundle_config_list"))
    )
    for name, value in given.items():
        _, section, option = name.lower().split("__")
        assert str(sections[section][option]) == value


def test_installing_changes_none_of_airflows_packages(site: Site) -> None:
    python = ("--python", str(site.environment / "bin" / "python"))
    before = set(uv("pip", "freeze", *python).splitlines())
    install(site)
    assert before - set(uv("pip", "freeze", *python).splitlines()) == set()
    uv("pip", "check", *python)


def install(site: Site) -> None:
    """The two lines of the page; the wheel goes to a folder of its own."""
    folder = site.environment.parent / "dist"
    for line in INSTALL.splitlines():
        words = shlex.split(line.replace("dist/", f"{folder}/"))[1:]
        if words[0] == "build":
            words += ["--quiet", "--out-dir", str(folder)]
        uv(*(str(site.environment) if word == "AIRFLOW_PYTHON" else word for word in words))


def test_basecamp_drives_it_with_the_rights_of_a_user(site: Site, tmp_path: Path) -> None:
    install(site)
    start(site)
    keys = site.home.credentials
    text = BASECAMP.replace("http://127.0.0.1:8080", site.home.url)
    text = text.replace("PASSWORD=PASSWORD", f"PASSWORD={keys.password}")
    shell = Shell(site.project, tmp_path, exports(text), patience_s=300)
    try:
        for line in text.splitlines():
            if not line.startswith("export "):
                shell.dli(*shlex.split(line)[1:])
        day = "execution_date=2013-02-08"
        name = "flights.analytics.daily_flights"
        shell.dli("workflow", "run", name, "-p", day, "--wait")
        shell.dli("workflow", "backfill", name, "-s", "2013-02-01", "-e", "2013-02-02", "--wait")
        (newest, *_) = shell.json("workflow", "history", "--dataset", name)
        assert shell.dli("workflow", "logs", newest["run_id"]).count("main (3/6) finished") == 1
    finally:
        shell.dli("down")
    assert site.home.silent() == []  # it is not Basecamp's to stop


def start(site: Site) -> None:
    """As its people would, with the page's bundle and an account that is no admin's."""
    text = exports(AIRFLOW)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
    bundles = json.loads(text.replace("/srv/shop", str(site.project)))
    (site.project / ".dli").mkdir(mode=0o700)
    for name in ("code", "manual"):
        (site.project / ".dli" / "store" / name).mkdir(parents=True)
    site.home.configure("", Owner(site.project), bundles=tuple(bundles))
    settings = site.home.folder / "airflow.cfg"
    users = "simple_auth_manager_users = basecamp:"
    settings.write_text(settings.read_text().replace(f"{users}admin", f"{users}user"))
    site.home.start()
    site.home.wait_healthy()


def test_the_commands_for_one_machine_are_those_that_are_tested() -> None:
    words = [line.split("#")[0].strip() for line in (MANAGED + MIGRATE).splitlines()]
    pages = (Path(__file__).with_name(f"test_{name}.py") for name in ("up", "migration"))
    tested = "".join(page.read_text() for page in pages)
    assert words[:3] == ["dli up --engine airflow", "dli doctor", "dli down"]
    assert words[3:] == ["dli workflow migrate --to airflow"]
    for line in words:
        assert ", ".join(f'"{word}"' for word in line.split()[1:]) in tested
