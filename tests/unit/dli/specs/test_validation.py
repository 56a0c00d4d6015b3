"""Checking a whole project comes to the same with and without what earlier checks have kept."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from dli.specs import settings_key, validator
from dli.specs.project import Project
from dli.specs.validation import Verdict, Verdicts, validate_project

HEAD = "owner: me\nteam: t\n"
KEPT = ".dli/cache/validation.json"

GATE = """\
target: {type: dataset, name: g}
metadata: {owner: me, team: t}
tests: [{name: late, type: singular, file: late.sql}]
"""

Files = Callable[[str, str], Path]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DLI_CONFIG_FILE", raising=False)
    return tmp_path / "project"


@pytest.fixture
def write(root: Path) -> Files:
    """A project of three datasets, one of them with a gate, and a metric; writes more files."""

    def add(path: str, text: str) -> Path:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    add("dli.yaml", "environments: {dev: {variables: {column: '${COLUMN:-x}'}}}")
    add("datasets/dataset.a.yaml", f"name: a\n{HEAD}query_file: a.sql\ndepends_on: [b]\n")
    add("datasets/a.sql", "SELECT {{ var('column') }} {{ env_var('TAIL') }} FROM {{ ref('b') }}")
    add("datasets/dataset.b.yaml", f"name: b\n{HEAD}query_statement: SELECT 1\nextra: 1\n")
    add(
        "datasets/dataset.g.yaml",
        f"name: g\n{HEAD}query_statement: SELECT 1\nquality: {{gate: true}}",
    )
    add("quality/quality.g.yaml", GATE)
    add("quality/late.sql", "SELECT * FROM {{ target }} WHERE d < DATE '{{ ds }}'")
    add("metrics/metric.m.yaml", f"name: m\n{HEAD}query_statement: SELECT 1 AS v\n")
    return add


def check(root: Path, *, check_deps: bool = False) -> Verdicts:
    return validate_project(root, "Dataset", check_deps=check_deps)


SOUND = Verdicts(
    [
        Verdict("a"),
        Verdict("b", warnings=["datasets/dataset.b.yaml:5: unknown key 'extra'"]),
        Verdict("g"),
    ]
)


def test_a_second_check_tells_the_same_and_reads_no_spec(root: Path, write: Files) -> None:
    assert check(root) == check(root) == check(root, check_deps=True) == SOUND
    code = (
        "import sys\nfrom pathlib import Path\nfrom dli.specs.validation import validate_project\n"
        f"found = validate_project(Path({str(root)!r}), 'Dataset', check_deps=True)\n"
        "print(len(found.specs), *sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert shown[0] == "3"
    assert {"pydantic", "sqlglot", "minijinja", "yaml"}.isdisjoint(shown)


def test_only_what_has_changed_is_checked_again(
    root: Path, write: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(root)
    examined = []
    real = validator.examine

    def examine(project: Project, name: str, *, check_deps: bool) -> validator.Examination:
        examined.append(name)
        return real(project, name, check_deps=check_deps)

    monkeypatch.setattr(validator, "examine", examine)
    write("datasets/a.sql", "SELECT 2")
    assert check(root) == SOUND
    assert examined == ["a"]
    assert check(root) == SOUND
    assert examined == ["a"]


def _outside(root: Path, write: Files) -> None:
    target = root / "datasets" / "a.sql"
    target.rename(root.parent / "a.sql")
    target.symlink_to(root.parent / "a.sql")


CHANGES: dict[str, tuple[Callable[[Path, Files], object], str]] = {
    "spec": (lambda _, w: w("datasets/dataset.b.yaml", "name: b\n"), "owner"),
    "sql": (lambda _, w: w("datasets/a.sql", "SELEC 1"), "a.sql:1"),
    "sql gone": (lambda r, _: (r / "datasets" / "a.sql").unlink(), "does not exist"),
    "sql outside": (_outside, "leads out of the project"),
    "new": (lambda _, w: w("datasets/dataset.c.yaml", f"name: c\n{HEAD}tags: 1"), "tags"),
    "rival": (lambda _, w: w("metrics/metric.b.yaml", f"name: b\n{HEAD}"), "also used"),
    "setting": (lambda _, w: w("dli.yaml", "discovery: {sql_patterns: ['*.txt']}"), "match"),
    "variable": (
        lambda _, w: w("dli.yaml", "environments: {dev: {variables: {column: ')'}}}"),
        "a.sql:1",
    ),
    "test": (
        lambda _, w: w("quality/quality.g.yaml", GATE.replace("file: late.sql", "sql: SELEC 1")),
        "test 'late'",
    ),
    "test gone": (lambda r, _: (r / "quality" / "quality.g.yaml").unlink(), "no quality file"),
    "sql of a test": (lambda _, w: w("quality/late.sql", "SELEC 1"), "test 'late'"),
    "bad quality file": (lambda _, w: w("quality/quality.x.yaml", "tests: 1"), "quality.x.yaml"),
    "local file": (
        lambda _, w: w(".dli.local.yaml", "environments: {dev: {variables: {column: ')'}}}"),
        "a.sql:1",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(root: Path, write: Files, change: str) -> None:
    assert check(root) == SOUND
    make, message = CHANGES[change]
    make(root, write)
    found = check(root)
    told = [text for spec in found.specs for text in (*spec.errors, *spec.warnings)]
    assert message in " ".join([*found.problems, *told])
    assert found == check(root)
    (root / KEPT).unlink()
    assert found == check(root)


@pytest.mark.parametrize("name", ["COLUMN", "TAIL"])
def test_variables_that_settings_or_templates_read_count(
    root: Path, write: Files, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert check(root) == SOUND
    monkeypatch.setenv(name, ") (")
    assert "a.sql:1" in check(root).specs[0].errors[0]
    monkeypatch.delenv(name)
    assert check(root) == SOUND


def test_a_name_that_goes_is_missed_by_those_that_need_it(root: Path, write: Files) -> None:
    assert check(root, check_deps=True) == SOUND
    (root / "datasets" / "dataset.b.yaml").unlink()
    assert check(root).specs == [Verdict("a"), Verdict("g")]
    assert len(check(root, check_deps=True).specs[0].errors) == 2
    write("datasets/dataset.b.yaml", f"name: b\n{HEAD}query_statement: SELECT 1\ndepends_on: [a]\n")
    assert check(root).specs == [Verdict("a"), Verdict("b"), Verdict("g")]
    assert [len(s.errors) for s in check(root, check_deps=True).specs] == [1, 1, 0]


class Tomorrow(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Tomorrow":
        day = datetime.now(tz) + timedelta(days=1)
        return cls(day.year, day.month, day.day, tzinfo=tz)


def test_another_program_package_or_day_checks_anew(
    root: Path, write: Files, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = {settings_key.settings_key(root, {})}
    (tmp_path / "packages" / "sqlglot-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    keys.add(settings_key.settings_key(root, {}))
    monkeypatch.setattr(settings_key, "_OWN_CODE", write("code/dli/a.py", "").parent)
    keys.add(settings_key.settings_key(root, {}))
    write("code/dli/a.py", "# other")
    keys.add(settings_key.settings_key(root, {}))
    keys.add(settings_key.settings_key(root, {"DLI_ENV": "prod"}))
    monkeypatch.setattr(settings_key, "datetime", Tomorrow)
    keys.add(settings_key.settings_key(root, {}))
    assert len(keys) == 6


@pytest.mark.parametrize("harm", ["", "x\n{}", "{seal}\n{", "{seal}"])
def test_a_damaged_file_is_as_good_as_none(root: Path, write: Files, harm: str) -> None:
    assert check(root) == SOUND
    kept = root / KEPT
    kept.write_text(harm.replace("{seal}", kept.read_text().partition("\n")[0]))
    assert check(root) == SOUND
    assert kept.read_text().endswith("}")


def test_a_place_that_cannot_be_written_is_no_failure(root: Path, write: Files) -> None:
    write(".dli", "a file where the folder should be")
    assert check(root) == check(root) == SOUND
