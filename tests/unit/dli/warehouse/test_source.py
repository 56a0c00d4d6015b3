"""Sources: what of a project may be read, and when a view is stale."""

from pathlib import Path

import pytest

from dli.exceptions import ConfigurationError
from dli.specs.project_file import SourceDefinition
from dli.warehouse.source import SourceView, source_views


def view(project: Path, **definition: str) -> SourceView:
    source = SourceDefinition.model_validate({"table": "a.b.c", **definition})
    (made,) = source_views([source], data_root=project).values()
    return made


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("data/x.parquet", "read_parquet"),
        ("data/x.CSV", "read_csv"),
        ("data/x.tsv", "read_csv"),
        ("data/x.csv.gz", "read_csv"),
        ("data/x.ndjson", "read_json"),
        ("data/2026/*.json", "read_json"),
    ],
)
def test_the_format_comes_from_the_name(project: Path, path: str, reader: str) -> None:
    assert view(project, path=path).reader == reader


def test_a_given_format_wins(project: Path) -> None:
    assert view(project, path="data/x.txt", format="csv").reader == "read_csv"


def test_a_quote_in_a_path_stays_in_the_path(project: Path) -> None:
    assert "o''brien.csv')" in view(project, path="data/o'brien.csv").query


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"path": "data/x.xlsx"}, "format"),
        ({"path": "/etc/passwd", "format": "csv"}, "leaves the project"),
        ({"path": "../x.csv"}, "leaves the project"),
        ({"path": "data/../data/x.csv"}, "leaves the project"),
        ({"path": "*.csv"}, "start with a folder"),
        ({"path": "**/*.csv"}, "start with a folder"),
        ({"url": "postgresql://host/db"}, "files only"),
        ({"table": "b.c", "path": "data/x.csv"}, "three parts"),
    ],
)
def test_a_bad_definition_is_refused(
    project: Path, definition: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        view(project, **definition)


def test_a_link_out_of_the_project_is_refused(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "x.csv"
    outside.write_text("a\n1\n")
    (project / "data" / "link.csv").symlink_to(outside)
    with pytest.raises(ConfigurationError, match="leaves the project"):
        view(project, path="data/link.csv")


def test_the_state_folder_is_no_source(project: Path) -> None:
    with pytest.raises(ConfigurationError, match="state folder"):
        view(project, path=".dli/warehouse/*.csv")


def test_one_table_is_one_source(project: Path) -> None:
    sources = [SourceDefinition(table=table, path="data/x.csv") for table in ("a.b.c", "A.B.C")]
    with pytest.raises(ConfigurationError, match="twice"):
        source_views(sources, data_root=project)


def test_the_fingerprint_changes_with_the_file_only(project: Path) -> None:
    source = view(project, path="data/clicks.csv")
    before = source.fingerprint()
    (project / "data" / "other.csv").write_text("x")
    assert source.fingerprint() == before
    (project / "data" / "clicks.csv").write_text("dt,page,more\n")
    assert source.fingerprint() != before
