"""YAML files are read strictly and safely, and every message has its line."""

from pathlib import Path

import pytest

from dli.exceptions import DLIValidationError
from dli.specs.document import MAX_BYTES, MAX_DEPTH, MAX_NODES, Document, read_document, typed


def read(text: str | bytes) -> Document:
    return read_document(text.encode() if isinstance(text, str) else text, "dataset.x.yaml")


def refusal(text: str | bytes) -> str:
    with pytest.raises(DLIValidationError) as caught:
        read(text)
    assert caught.value.code == "DLI-203"
    assert caught.value.errors == [caught.value.message]
    return caught.value.message


def test_scalars_stay_text() -> None:
    document = read("on: 12:30\nno: 1_000\nday: 2026-99-99\nquoted: '007'\nempty:\ntilde: ~\n")
    assert document.data == {
        "on": "12:30",
        "no": "1_000",
        "day": "2026-99-99",
        "quoted": "007",
        "empty": None,
        "tilde": None,
    }


def test_every_key_and_item_has_its_line() -> None:
    document = read("a: 1\nb:\n  - x: 1\n    y: 2\n\n  - z\nsql: |\n  SELECT 1\n")
    assert document.line(("b",)) == 2
    assert document.line(("b", 0, "y")) == 4
    assert document.line(("b", 1)) == 6
    assert document.line(("b", 1, "missing")) == 6
    assert document.at(("nothing",)) == "dataset.x.yaml:1"
    assert document.text_line(("sql",)) == 8
    assert document.text_line(("a",)) == 1


def test_a_duplicate_key_is_refused_with_both_lines() -> None:
    message = refusal("a: 1\nb: 2\na: 3\n")
    assert message == "dataset.x.yaml:3: duplicate key 'a', first given on line 1"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: &x 1\nb: *x\n", 1, "anchors"),
        ("a:\n  - *x\n", 2, "anchors"),
        ("&a a: 1", 1, "anchors"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "tags"),
        ("a: !!str 1", 1, "tags"),
        ("a: 1\n---\nb: 2\n", 2, "one document"),
        ("? [a]\n: b\n", 1, "key"),
        ("a: [1,2\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: c: d\n", 2, "not valid YAML"),
        ("a: 'x\n", 2, "not valid YAML"),
        ("a: 1\nb: \x00\n", 2, "does not allow"),
        ("", 1, "keys and values"),
        ("- a\n", 1, "keys and values"),
        ("text", 1, "keys and values"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    message = refusal(text)
    assert message.startswith(f"dataset.x.yaml:{line}: ")
    assert reason in message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "a: " + "{a: " * 30_000,
        "- " * 100_000,
        "".join(" " * n + "a:\n" for n in range(99)),
    ],
)
def test_f28_deep_nesting_is_refused_before_it_costs_anything(text: str) -> None:
    assert f"nested deeper than {MAX_DEPTH} levels" in refusal(text)


def test_f27_sizes_are_limited() -> None:
    assert f"{MAX_NODES:,} values" in refusal("a: [" + "1," * MAX_NODES + "]")
    assert "larger than 1024 KiB" in refusal("a: " + "x" * MAX_BYTES)


def test_text_must_be_utf8_and_may_have_a_byte_order_mark() -> None:
    assert "not UTF-8" in refusal(b"a: \xff")
    assert read(b"\xef\xbb\xbfname: x").data == {"name": "x"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DLIValidationError, match=r"sets/a\.yaml: cannot be read"):
        read_document(tmp_path / "missing.yaml", "sets/a.yaml")


def test_free_form_values_are_typed_as_json_would() -> None:
    data = read(
        "a: [1, -2, 1.5, 1e3, true, 'true', 007, 1_0, yes, 2025-01-01, 12:30, .inf, x]"
    ).data
    assert typed(data) == {
        "a": [1, -2, 1.5, 1000.0, True, "true", "007", "1_0", "yes", "2025-01-01", "12:30",
              ".inf", "x"]
    }  # fmt: skip
    assert [type(item) for item in typed(data)["a"][:5]] == [int, int, float, float, bool]
