"""Log lines cannot be broken out of and tell no secrets."""

import json
import logging
import sys
from contextvars import ContextVar

import pytest

from basecamp.journal import JsonLines, request_id, run_id
from dli.exceptions import DLIError

SECRET = "hunter2-parameter-value"


def line_of(message: str, **extra: object) -> str:
    record = logging.LogRecord("basecamp", logging.INFO, __file__, 1, message, None, None)
    vars(record).update(extra)
    return JsonLines().format(record)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "\x1b[31mred", '"}{"level":"error', "\x7f", "\u2028", "\u202eevil", "%s %n"],
)
def test_f35_one_event_is_one_harmless_line(text: str) -> None:
    line = line_of("request.answered", path=text)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == text


@pytest.mark.parametrize("variable", [request_id, run_id], ids=lambda one: one.name)
def test_a_line_carries_what_it_belongs_to(variable: ContextVar[str | None]) -> None:
    token = variable.set("abc")
    try:
        assert json.loads(line_of("x"))[variable.name] == "abc"
    finally:
        variable.reset(token)
    assert variable.name not in json.loads(line_of("x"))


def test_an_error_is_told_with_its_place_and_without_foreign_text() -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as exc:
            raise DLIError("The store is busy.") from exc
    except DLIError:
        found = json.loads(line_of("failed", exc_info=sys.exc_info()))["error"]
    assert found[0]["message"] == "The store is busy."
    assert found[1]["type"] == "ValueError"
    assert any("test_journal.py" in place for place in found[1]["at"])
    assert SECRET not in json.dumps(found)
