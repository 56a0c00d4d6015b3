"""What the engine says of a value that does not fit, told without the value where others read."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dli.exceptions import ExecutionError
from dli.specs.dataset import Statement
from dli.specs.project import Project
from dli.warehouse.base import Session
from dli.warehouse.connection import warehouse_of
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.failure import refusal

SECRET = "Geheim4711"
OF_A_VALUE = [
    f"SELECT CAST('{SECRET}' AS INTEGER)",
    f"SELECT CAST('{SECRET}' AS DATE)",
    f"SELECT CAST('{SECRET} to DATE 1' AS DECIMAL(3, 2))",
    f"SELECT '{SECRET}'::TIMESTAMP",
    f"SELECT '{SECRET}'::BOOLEAN",
    f"SELECT '{SECRET}'::UUID",
    f"SELECT '{SECRET}'::INTEGER[]",
    f"SELECT '{SECRET}'::STRUCT(a INTEGER)",
    f"SELECT strptime('{SECRET}', '%Y')",
    f"SELECT strftime(DATE '2020-01-01', '%{SECRET}%')",
    f"SELECT json('{SECRET}')",
    f'SELECT (\'{{"a": "{SECRET}"}}\'::JSON)::INTEGER',
    f"SELECT regexp_matches('a', '[{SECRET}')",
    f"SELECT error('{SECRET}')",
    f"SELECT timezone('{SECRET}', TIMESTAMP '2020-01-01')",
    f"SELECT date_trunc('{SECRET}', DATE '2020-01-01')",
    f"SELECT format('{{{SECRET}}}', 1)",
    f"SELECT struct_extract({{'a': 1}}, '{SECRET}')",
    f"SELECT concat('a', '{SECRET}')::INTEGER",
    f"SELECT map(['{SECRET}', '{SECRET}'], [1, 2])",
    f"SELECT CAST(k AS INTEGER) FROM (SELECT '{SECRET}' || range AS k FROM range(3))",
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "dli.yaml").write_text("{}\n")
    with (
        warehouse_of(Project.open(tmp_path), hides_values=True) as warehouse,
        warehouse.session() as opened,
    ):
        yield opened


def refused(session: Session, sql: str) -> str:
    result = run_statements(session, [Statement("main", None, sql)], dialect="duckdb")
    assert not result.success, sql
    return str(result.error_message)


def bound(session: Session, sql: str) -> str:
    statement = Statement("main", None, f"CREATE TABLE t AS {sql}")
    try:
        return str(check_statements(session, [statement], dialect="duckdb"))
    except ExecutionError as error:
        return error.message


@pytest.mark.parametrize("sql", OF_A_VALUE)
def test_f46_an_error_does_not_show_the_value_that_it_is_about(session: Session, sql: str) -> None:
    told = refused(session, sql)
    assert SECRET.lower() not in told.lower()
    assert told
    assert SECRET.lower() not in bound(session, sql).lower()


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (OF_A_VALUE[0], "Could not convert a string to INT32"),
        (OF_A_VALUE[1], "invalid date field format, expected format is (YYYY-MM-DD)"),
        ("SELECT 40000::SMALLINT", "A value of type INT32 can't be cast to INT16"),
        ("SELECT 500::DECIMAL(3, 2)", "Could not cast a value to DECIMAL(3,2)"),
        ("SELECT (SELECT range FROM range(3))", "More than one row returned by a subquery"),
        ("SELECT nothing FROM range(3)", 'Referenced column "nothing" not found'),
        ("SELECT * FROM memory.main.no_such", "no_such"),
        (OF_A_VALUE[13], "a value does not fit; the engine's own words are not shown"),
    ],
)
def test_what_is_wrong_is_told(session: Session, sql: str, told: str) -> None:
    assert told in refused(session, sql)


def test_a_key_that_is_there_twice_is_not_shown(session: Session) -> None:
    statements = [
        Statement("pre", None, "CREATE TABLE k (k TEXT PRIMARY KEY, n INTEGER CHECK (n > 0))"),
        Statement("main", None, f"INSERT INTO k VALUES ('{SECRET}', 1), ('{SECRET}', 2)"),
    ]
    result = run_statements(session, statements, dialect="duckdb")
    assert "PRIMARY KEY or UNIQUE constraint violation" in str(result.error_message)
    assert SECRET not in str(result.error_message)


# A file system of its own in a name space of its own; gone with the process.
SMALL_DISK = 'mount -t tmpfs -o size=3m none "$1" && touch "$1/dli.yaml" && exec "$2" -c "$3" "$1"'
LARGE_TABLE = """
import sys
from pathlib import Path
from dli.specs.dataset import Statement
from dli.specs.project import Project
from dli.warehouse.connection import warehouse_of
from dli.warehouse.dataset import run_statements
def run(sql):
    return run_statements(session, [Statement("main", None, sql)], dialect="duckdb")
with warehouse_of(Project.open(Path(sys.argv[1]))) as warehouse, warehouse.session() as session:
    assert run("CREATE TABLE small AS SELECT 1 AS n").success
    try:
        run("CREATE TABLE large AS SELECT hash(range) AS n FROM range(3000000)")
    except Exception as error:
        print(error.code.value, error.message)
    assert not run("SELECT * FROM large").success
"""


def test_f4_a_full_disk_is_said_in_words_of_ours(tmp_path: Path) -> None:
    attempt = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if subprocess.run(attempt, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets its users mount nothing")
    command = ["unshare", "-Urm", "sh", "-c", SMALL_DISK, "sh", str(tmp_path), sys.executable]
    told = subprocess.run(
        [*command, LARGE_TABLE], capture_output=True, text=True, check=False, timeout=100
    )
    assert told.stdout.startswith("DLI-401 storage_full: There is no space left"), told


@pytest.mark.parametrize(
    "words",
    [
        "failed to offload data block of size 256.0 KiB (1.0 MiB/976.5 KiB used).",
        'Could not write all bytes to file "/x/duckdb_temp": No space left on device',
    ],
)
def test_f4_no_space_to_swap_to_is_no_space(words: str) -> None:
    told = refusal(duckdb.OutOfMemoryException(f"Out of Memory Error: {words}"))
    assert told.message.startswith("storage_full: There is no space left")
    assert told.code == "DLI-401"


def test_who_runs_sql_alone_sees_the_value(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("{}\n")
    with warehouse_of(Project.open(tmp_path)) as warehouse, warehouse.session() as session:
        assert SECRET in refused(session, OF_A_VALUE[0])
