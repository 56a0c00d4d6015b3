"""Which tests decide about a run of a dataset, and how they get into its spec."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import DLIValidationError
from dli.models.dataset import DatasetSpec
from dli.specs.expectation import Expectation
from dli.specs.gate import render_gate
from dli.specs.parser import dataset_from_mapping, parse_dataset, parse_spec
from dli.specs.project import Project
from dli.specs.template import RenderContext
from dli.specs.validator import validate_dataset

NAME = "shop.sales.daily"
DATASET = f"""
name: {NAME}
owner: ann
team: sales
query_statement: SELECT 1
quality:
  gate: true
"""
QUALITY = f"""
target: {{type: dataset, name: {NAME}}}
metadata: {{owner: ann}}
tests:
  - {{name: key, type: unique, columns: [day]}}
  - {{name: own, type: singular, file: own.sql, params: {{least: 3, word: '3'}}, ticket: 12}}
  - {{name: soft, type: row_count, min: 1, severity: warn}}
  - {{name: off, type: row_count, min: 1, enabled: false}}
"""
OTHER = QUALITY.replace(NAME, "shop.sales.other")
CONTEXT = RenderContext(date(2026, 1, 31))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "dli.yaml": "",
        f"datasets/dataset.{NAME}.yaml": DATASET,
        f"quality/quality.{NAME}.yaml": QUALITY,
        "quality/quality.shop.sales.other.yaml": OTHER,
        "quality/own.sql": "SELECT * FROM {{ target }} WHERE n < {{ least }} AND d = '{{ ds }}'",
    }
    for file, text in files.items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def bundle(root: Path) -> DatasetSpec:
    return Project.open(root, {}).bundle(NAME)


def body(**quality: Any) -> dict[str, Any]:
    rest = {"name": NAME, "owner": "ann", "team": "sales", "query_statement": "SELECT 1"}
    return {**rest, "quality": quality}


def test_a_bundle_carries_the_tests_of_its_gate_with_their_sql(root: Path) -> None:
    spec = bundle(root)
    assert spec.quality is not None
    assert [test.name for test in spec.quality.tests] == ["key", "own", "soft", "off"]
    own = spec.quality.tests[1]
    assert own.file is None
    assert own.sql is not None
    assert own.sql.startswith("SELECT * FROM {{ target }}")


def test_without_a_gate_a_bundle_carries_no_tests(root: Path) -> None:
    for text in ("quality: {gate: false}", ""):
        spec = DATASET.replace("quality:\n  gate: true", text)
        (root / f"datasets/dataset.{NAME}.yaml").write_text(spec)
        found = bundle(root)
        assert found.quality is None or found.quality.tests == []
        assert render_gate(found, CONTEXT) is None


def test_a_bundle_is_the_same_after_the_way_through_a_store(root: Path) -> None:
    from basecamp.specstore.document import from_yaml, stored_form, to_yaml

    content = stored_form(bundle(root))
    assert from_yaml(to_yaml(content), NAME) == content
    spec = parse_dataset(to_yaml(content), "x.yaml")
    assert parse_spec(to_yaml(content), label="x.yaml").warnings == []
    assert spec.quality is not None
    own = spec.quality.tests[1]
    assert (own.params, own.model_extra) == ({"least": 3, "word": "3"}, {"ticket": 12})
    assert dataset_from_mapping(content)[0].quality == spec.quality


def test_a_gate_has_the_enabled_tests_with_values_filled_in(root: Path) -> None:
    gate = render_gate(bundle(root), CONTEXT)
    assert gate is not None
    assert [(test.definition.name, test.is_decisive) for test in gate.tests] == [
        ("key", True),
        ("own", True),
        ("soft", False),
    ]
    own = gate.tests[1].expected
    assert isinstance(own, Expectation)
    assert own.failing == f"SELECT * FROM {NAME} WHERE n < 3 AND d = '2026-01-31'"
    moved = render_gate(bundle(root), CONTEXT, {"execution_date": "2026-02-01"})
    assert moved is not None
    assert "2026-02-01" in moved.statements()[1].sql


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("quality.shop.sales.other.yaml", "unique", "uniqe", "quality.shop.sales.other.yaml:5"),
        (f"quality.{NAME}.yaml", "own.sql", "no.sql", "test 'own': file: cannot be read"),
        (f"quality.{NAME}.yaml", "own.sql", "../../own.sql", "leads out of the project"),
    ],
)
def test_a_gate_loses_no_test_that_cannot_be_read(
    root: Path, file: str, old: str, new: str, message: str
) -> None:
    path = root / "quality" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DLIValidationError, match=message):
        bundle(root)
    assert not validate_dataset(Project.open(root, {}), NAME).valid


def test_validation_looks_at_the_tests(root: Path) -> None:
    valid = validate_dataset(Project.open(root, {}), NAME, strict=True)
    assert (valid.errors, valid.warnings) == ([], [])
    (root / "quality/own.sql").write_text("SELECT * FROM WHERE")
    path = root / f"quality/quality.{NAME}.yaml"
    path.write_text(path.read_text().replace("columns: [day]", "description: none"))
    found = validate_dataset(Project.open(root, {}), NAME)
    label = f"datasets/dataset.{NAME}.yaml:6: quality: test"
    assert found.errors[0] == f"{label} 'key': columns is missing"
    assert found.errors[1].startswith(f"{label} 'own': sql")
    path.unlink()
    assert (
        "has a test of severity error" in validate_dataset(Project.open(root, {}), NAME).warnings[0]
    )


def test_tests_are_written_in_quality_files_only(root: Path) -> None:
    path = root / f"datasets/dataset.{NAME}.yaml"
    path.write_text(DATASET + "  tests: [{name: n, type: row_count, min: 1}]\n")
    with pytest.raises(DLIValidationError, match=r"yaml:8: quality.tests: tests belong in"):
        bundle(root)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"type": "unique"}, "quality: test 't': columns is missing"),
        ({"type": "singular", "file": "x.sql"}, "write the SQL itself"),
        ({"type": "uniqe"}, "quality.tests.0.type"),
    ],
)
def test_a_body_must_carry_usable_tests(test: dict[str, Any], message: str) -> None:
    with pytest.raises(DLIValidationError, match=message):
        dataset_from_mapping(body(gate=True, tests=[{"name": "t", **test}]))


def test_an_unknown_key_of_the_gate_is_a_warning_and_one_of_a_test_is_not() -> None:
    test = {"name": "t", "type": "row_count", "min": 1, "ticket": "A-1"}
    _, warnings = dataset_from_mapping(body(gate=True, gates=True, tests=[test]))
    assert warnings == ["unknown key 'gates'; did you mean 'gate'?"]
