"""A project on disk: its settings, its specs, and what is left out and why."""

from pathlib import Path

import pytest

from dli.exceptions import (
    ConfigNotFoundError,
    ConfigurationError,
    DatasetNotFoundError,
    DLIValidationError,
    MetricNotFoundError,
)
from dli.specs.project import Project

HEAD = "owner: me\nteam: t\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "home" / "nothing")
    write(tmp_path / "project" / "dli.yaml")
    return tmp_path / "project"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def opened(root: Path, dli_yaml: str | None = None, **env: str) -> Project:
    if dli_yaml is not None:
        write(root / "dli.yaml", dli_yaml)
    return Project.open(root, {"HOME": str(root.parent / "home"), **env})


def dataset(root: Path, name: str, body: str = "", *, folder: str = "datasets") -> Path:
    return write(root / folder / f"dataset.{name}.yaml", f"name: {name}\n{HEAD}{body}")


class TestSettings:
    def test_every_key_is_optional(self, root: Path) -> None:
        project = opened(root)
        assert project.config.project.name == "unnamed"
        assert project.defaults.dialect == "trino"
        assert (project.sources, project.variables, project.warnings) == ([], {}, [])

    def test_a_missing_directory_or_file_has_its_own_code(self, root: Path) -> None:
        with pytest.raises(ConfigurationError) as missing:
            Project.open(root / "nowhere", {})
        assert missing.value.code == "DLI-003"
        with pytest.raises(ConfigNotFoundError) as empty:
            Project.open(root.parent / "home", {})
        assert empty.value.code == "DLI-002"

    def test_the_environment_chooses_variables(self, root: Path) -> None:
        text = (
            "environments:\n"
            "  dev: {variables: {region: eu, n: 5, zip: '007', on: yes}}\n"
            "  prod: {variables: {region: us}, connection_string: x, catalog: c, schema: s}\n"
        )
        variables = {"region": "eu", "n": 5, "zip": "007", "on": "yes"}
        assert opened(root, text).variables == variables
        assert opened(root, text, DLI_ENV="prod").variables == {"region": "us"}
        assert opened(root, text, DLI_ENV="prod").environment.schema_name == "s"
        assert opened(root, text, DLI_ENV="test").variables == {}

    def test_values_take_variables_of_the_environment(self, root: Path) -> None:
        text = (
            "defaults:\n  timeout_seconds: ${LIMIT:-60}\n"
            "environments:\n  dev:\n    connection_string: duckdb:///${DB}\n"
            "    variables:\n      n: ${N:-5}\n"
        )
        project = opened(root, text, DB="x.db")
        assert project.defaults.timeout_seconds == 60
        assert project.environment.connection_string == "duckdb:///x.db"
        assert project.variables == {"n": 5}
        assert "x.db" not in repr(project.environment)

    def test_an_unset_variable_matters_only_where_it_is_used(self, root: Path) -> None:
        text = "environments:\n  prod:\n    connection_string: ${DB}\nserver:\n  api_key: ${KEY}\n"
        project = opened(root, text)
        assert project.config.server.api_key is None
        with pytest.raises(ConfigurationError, match=r"dli\.yaml:3: the variable DB is not set"):
            opened(root, text, DLI_ENV="prod")

    def test_files_of_the_user_are_laid_over_and_under(self, root: Path) -> None:
        write(
            root.parent / "home" / ".dli" / "config.yaml",
            "defaults: {dialect: spark, retry_count: 9}",
        )
        write(root / ".dli.local.yaml", "environments: {dev: {catalog: mine}}")
        text = "defaults: {dialect: duckdb}\nenvironments: {dev: {catalog: c, schema: s}}"
        project = opened(root, text)
        assert (project.defaults.dialect, project.defaults.retry_count) == ("duckdb", 9)
        assert (project.environment.catalog, project.environment.schema_name) == ("mine", "s")

    def test_sources_name_a_table_and_a_place(self, root: Path) -> None:
        text = "sources: [{table: raw.nyc.flights, path: data/*.csv}, {table: a.b.c, url: x}]"
        first, second = opened(root, text).sources
        assert (first.table, first.path, first.format) == (
            "raw.nyc.flights",
            "data/*.csv",
            None,
        )
        assert second.url == "x"

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("defaults:\n  dialect: mysql", 2, "should be 'trino'"),
            ("server:\n  timeout: soon", 2, "valid integer"),
            ("sources:\n  - table: a.b.c", 2, "give path or url"),
            ("sources:\n  - {table: b.c, path: x.csv}", 2, "a name of three parts"),
            ("sources:\n  - {table: a.b.c, path: ../x.csv}", 2, "leads out of the project"),
            ("sources:\n  - {table: a.b.c, path: /x.csv}", 2, "leads out of the project"),
            ("sources:\n  - {table: a.b.c, path: x, url: y}", 2, "give path or url"),
            ("project: x", 1, "project"),
            ("a: 1\na: 2", 2, "duplicate key"),
            ("discovery:\n  datasets_dir: ../..", None, "outside the project"),
        ],
    )
    def test_a_mistake_is_told_with_its_line(
        self, root: Path, text: str, line: int | None, reason: str
    ) -> None:
        with pytest.raises(ConfigurationError) as caught:
            opened(root, text).datasets()
        assert caught.value.code == "DLI-001"
        assert line is None or caught.value.message.startswith(f"dli.yaml:{line}: ")
        assert reason in caught.value.message

    def test_unknown_keys_are_warnings(self, root: Path) -> None:
        text = "version: 2\nproject:\n  nam: x\nenvironments:\n  dev:\n    variables: {a: 1}\n"
        text += "    me: x\n"
        assert opened(root, text).warnings == [
            "dli.yaml:3: unknown key 'nam'; did you mean 'name'?",
            "dli.yaml:7: unknown key 'me'",
            "dli.yaml:1: version: only 1 is known",
        ]

    def test_another_file_may_take_the_place_of_dli_yaml(self, root: Path) -> None:
        other = write(root / "ci.yaml", "project: {name: other}")
        assert opened(root, DLI_CONFIG_FILE=str(other)).config.project.name == "other"


class TestSpecs:
    def test_discovery_is_recursive_and_sorted(self, root: Path) -> None:
        dataset(root, "b.x.y", folder="datasets/deep/er")
        dataset(root, "a.x.y")
        dataset(root, "hidden.x.y", folder="datasets/.git")
        write(root / "datasets" / "notes.yaml", "name: no spec")
        write(root / "datasets" / "metric.m1.yaml", f"name: m1\n{HEAD}")
        write(root / "metrics" / "metric.yaml", f"name: m2\n{HEAD}")
        project = opened(root)
        assert list(project.datasets()) == ["a.x.y", "b.x.y"]
        assert list(project.metrics()) == ["m1", "m2"]
        assert project.problems == []

    def test_patterns_and_directories_can_be_chosen(self, root: Path) -> None:
        write(root / "sets" / "x.ds.yaml", f"name: x\n{HEAD}")
        dataset(root, "y")
        project = opened(root, "discovery: {datasets_dir: sets, dataset_patterns: ['*.ds.yaml']}")
        assert list(project.datasets()) == ["x"]

    def test_defaults_reach_the_specs(self, root: Path) -> None:
        dataset(root, "a", "execution: {retry_count: 0}")
        spec = opened(root, "defaults: {dialect: spark, retry_count: 7}").dataset("a")
        assert (spec.execution.dialect, spec.execution.retry_count) == ("spark", 0)

    def test_a_bad_file_stops_nothing_and_tells_why(self, root: Path) -> None:
        dataset(root, "good")
        dataset(root, "bad", "tags: 5\nquery_type: SELECT")
        write(root / "datasets" / "dataset.worse.yaml", "a: [1\nb: 2\n")
        project = opened(root)
        assert list(project.datasets()) == ["good"]
        first, second = project.problems
        assert str(first) == "datasets/dataset.bad.yaml:4: tags: input should be a valid list"
        assert (second.path, second.line, second.code) == (
            "datasets/dataset.worse.yaml", 2, "DLI-203",
        )  # fmt: skip
        for name in ("bad", "worse"):
            with pytest.raises(DLIValidationError, match=rf"datasets/dataset\.{name}\.yaml"):
                project.dataset(name)

    def test_two_specs_of_one_name_are_both_left_out(self, root: Path) -> None:
        dataset(root, "same", folder="datasets/one")
        write(root / "datasets" / "two" / "dataset.x.yaml", f"{HEAD}name: same\n")
        write(root / "metrics" / "metric.x.yaml", f"{HEAD}name: same\n")
        project = opened(root)
        assert (project.datasets(), project.metrics()) == ({}, {})
        texts = [str(problem) for problem in project.problems]
        assert texts[0] == (
            "datasets/one/dataset.same.yaml:1: the name 'same' is also used in "
            "datasets/two/dataset.x.yaml:3, metrics/metric.x.yaml:3"
        )
        assert len(texts) == 3
        with pytest.raises(DLIValidationError, match="also used in"):
            project.dataset("same")

    def test_links_do_not_lead_out(self, root: Path) -> None:
        outside = dataset(root.parent, "out", folder="elsewhere")
        (root / "datasets").mkdir()
        (root / "datasets" / "dataset.out.yaml").symlink_to(outside)
        (root / "datasets" / "folder").symlink_to(outside.parent)
        project = opened(root)
        assert project.datasets() == {}
        assert [str(problem) for problem in project.problems] == [
            "datasets/dataset.out.yaml: the link leads out of the project"
        ]

    def test_unknown_names_say_where_was_searched(self, root: Path) -> None:
        project = opened(root)
        with pytest.raises(DatasetNotFoundError) as caught:
            project.dataset("nope")
        assert caught.value.name == "nope"
        assert caught.value.searched_paths == [str(root / "datasets")]
        with pytest.raises(MetricNotFoundError):
            project.metric("nope")

    def test_sql_files_must_match_the_patterns(self, root: Path) -> None:
        write(root / "datasets" / "secret.env", "KEY=1")
        dataset(root, "a", "query_file: secret.env")
        (problem,) = opened(root).problems
        assert (
            problem.message == "query_file: the file does not match *.sql (discovery.sql_patterns)"
        )
        assert opened(root, "discovery: {sql_patterns: ['*.env']}").bundle("a").query_statement

    def test_a_bundle_carries_its_sql(self, root: Path) -> None:
        write(root / "datasets" / "sql" / "main.sql", "\ufeffSELECT 1\n")
        write(root / "datasets" / "pre.sql", "DELETE FROM t")
        dataset(
            root,
            "a",
            "query_file: sql/main.sql\npre_statements: [{name: p, file: pre.sql}]\n"
            "post_statements: [{name: q, sql: SELECT 2}]\n",
        )
        project = opened(root)
        bundle = project.bundle("a")
        assert (bundle.query_file, bundle.query_statement) == (None, "SELECT 1\n")
        assert [(s.file, s.sql) for s in bundle.pre_statements] == [(None, "DELETE FROM t")]
        assert bundle.post_statements[0].sql == "SELECT 2"
        assert project.dataset("a").query_file == "sql/main.sql"

    @pytest.mark.parametrize(
        ("content", "reason"), [(b"\xff", "not UTF-8"), (b" " * 1_048_577, "larger than 1 MiB")]
    )
    def test_a_sql_file_that_cannot_be_used_is_named(
        self, root: Path, content: bytes, reason: str
    ) -> None:
        write(root / "datasets" / "a.sql").write_bytes(content)
        dataset(root, "a", "query_file: a.sql")
        with pytest.raises(DLIValidationError, match=f"datasets/a.sql: is {reason}"):
            opened(root).bundle("a")
