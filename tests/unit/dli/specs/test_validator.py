"""Validation tells every problem with its file and line, and raises nothing."""

from pathlib import Path

import pytest

from dli.specs.project import Project
from dli.specs.validator import validate_dataset, validate_metric

HEAD = "owner: me\nteam: t\n"


class Files:
    """A project that grows file by file; specs begin with three lines: name, owner, team."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("dli.yaml", "environments: {dev: {variables: {region: eu}}}")

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def dataset(self, name: str, body: str = "query_statement: SELECT 1") -> None:
        self.write(f"datasets/dataset.{name}.yaml", f"name: {name}\n{HEAD}{body}\n")

    def project(self) -> Project:
        return Project.open(self.root, {"HOME": str(self.root)})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def errors(files: Files, name: str = "a", **options: object) -> list[str]:
    result = validate_dataset(files.project(), name, **options)  # type: ignore[arg-type]
    assert result.valid is (not result.errors)
    return result.errors


def test_a_sound_dataset_is_valid(files: Files) -> None:
    files.write("datasets/sql/a.sql", "SELECT {{ n }}, '{{ var('region') }}' FROM {{ ref('b') }}\n")
    files.dataset("b")
    files.dataset(
        "a",
        "query_file: sql/a.sql\ndepends_on: [b]\nparameters: [{name: n, type: integer}]\n"
        "pre_statements: [{name: p, sql: DELETE FROM t}]",
    )
    assert errors(files, strict=True, check_deps=True) == []


def test_an_unknown_name_and_a_bad_file_are_told(files: Files) -> None:
    assert "Dataset 'a' not found" in errors(files)[0]
    files.dataset("a", "tags: x\ndomains: y")
    assert errors(files) == [
        "datasets/dataset.a.yaml:5: domains: input should be a valid list",
        "datasets/dataset.a.yaml:4: tags: input should be a valid list",
    ]


def test_sql_in_a_file_is_told_with_the_file(files: Files) -> None:
    files.dataset("a", "query_file: a.sql\npost_statements: [{name: q, file: q.sql}]")
    files.write("datasets/a.sql", "SELECT 1\nFROM t\nWHERE (")
    files.write("datasets/q.sql", "SELECT\n  {{ nope }}")
    main, post = errors(files)
    assert main.startswith("datasets/a.sql:3, column 7: ")
    assert post == "datasets/q.sql:2: template: `nope` is undefined"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("query_statement: SELECT (", 4),
        ("query_statement: |\n  SELECT 1\n  FROM t WHERE (", 6),
        ("query_statement: |\n  SELECT {% if true %}\n  1\n  {% endif %}\n  FROM t WHERE (", 8),
        ("tags: []\nquery_statement: |\n  SELECT 1\n\n  {% for x in [1] %}\n  {{ nope }}", 9),
        (
            "query_statement: SELECT 1\npre_statements:\n  - name: p\n    sql: |\n      SELECT (\n",
            8,
        ),
    ],
)
def test_sql_in_the_spec_is_told_with_its_line_there(files: Files, body: str, line: int) -> None:
    files.dataset("a", body)
    (error,) = errors(files)
    assert error.startswith(f"datasets/dataset.a.yaml:{line}")


def test_given_parameters_are_checked(files: Files) -> None:
    files.dataset("a", "query_statement: SELECT {{ n }}\nparameters:\n  - {name: n, type: integer}")
    assert errors(files) == []
    assert errors(files, parameters={"n": 5, "ds": "2025-01-01"}) == []
    assert errors(files, parameters={"n": "x", "m": 1}) == [
        "datasets/dataset.a.yaml:5: undeclared parameter; declared: n",
        "datasets/dataset.a.yaml:5: parameter 'n' must be an integer",
    ]
    assert errors(files, parameters={}) == ["datasets/dataset.a.yaml:5: parameter 'n' is required"]
    assert "must be a date" in errors(files, parameters={"n": 1, "ds": "x"})[0]


def test_given_values_may_not_change_the_sql(files: Files) -> None:
    files.dataset("a", "query_statement: |\n  SELECT 1 WHERE 1 = {{ v }}\nparameters: [{name: v}]")
    (error,) = errors(files, parameters={"v": "1 OR 2 = 2"})
    assert error.startswith("datasets/dataset.a.yaml:5: the values of v would change")


def test_warnings_become_errors_when_strict(files: Files) -> None:
    files.dataset("a", "colour: red")
    result = validate_dataset(files.project(), "a")
    assert result.valid
    assert result.warnings == [
        "datasets/dataset.a.yaml:4: unknown key 'colour'",
        "datasets/dataset.a.yaml:1: no query_statement or query_file; it cannot run",
    ]
    assert errors(files, strict=True) == result.warnings


def test_dependencies_must_exist_and_make_no_circle(files: Files) -> None:
    files.write("dli.yaml", "sources: [{table: raw.x.y, path: y.csv}]")
    files.dataset(
        "a", "query_statement: SELECT * FROM {{ ref('gone') }}\ndepends_on:\n  - raw.x.y\n  - lost"
    )
    assert errors(files) == []
    assert errors(files, check_deps=True) == [
        "datasets/dataset.a.yaml:7: depends_on: 'lost' is not in the project",
        "datasets/dataset.a.yaml:1: ref: 'gone' is not in the project",
    ]
    files.dataset("a", "query_statement: SELECT 1\ndepends_on: [b]")
    files.dataset("b", "query_statement: SELECT 1\ndepends_on: [a]")
    (circle,) = errors(files, check_deps=True)
    assert circle.startswith("datasets/dataset.a.yaml:5: depends_on: ")
    assert circle.endswith("is a circle")


def test_a_metric_only_reads(files: Files) -> None:
    files.write("metrics/metric.m.yaml", f"name: m\n{HEAD}query_statement: DELETE FROM t\n")
    assert validate_metric(files.project(), "m").errors == [
        "metrics/metric.m.yaml:4: a query is needed"
    ]
    assert "Metric 'x' not found" in validate_metric(files.project(), "x").errors[0]
