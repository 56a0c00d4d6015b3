"""`${VARIABLES}` in project files."""

import pytest

from dli.expansion import UnsetVariableError, expand

ENV = {"HOST": "db", "EMPTY": "", "TRAP": "${HOST}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain $HOST {HOST} $", "plain $HOST {HOST} $"),
        ("a ${HOST}:${PORT:-5432}", "a db:5432"),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("${NONE:-}", ""),
        ("${NONE:-a b/c?d=e}", "a b/c?d=e"),
        ("$${HOST} $${NONE}", "${HOST} ${NONE}"),
        ("${TRAP}", "${HOST}"),
        ("${}", "${}"),
        ("${1x}", "${1x}"),
    ],
)
def test_references_are_replaced_as_in_a_shell(text: str, expanded: str) -> None:
    assert expand(text, ENV) == expanded


def test_an_unset_variable_without_default_is_named() -> None:
    with pytest.raises(UnsetVariableError, match="NONE"):
        expand("x ${NONE}", ENV)
