"""`${NAME}` and `${NAME:-default}` in the values of project files, as shells read them."""

import re
from collections.abc import Mapping

__all__ = ["UnsetVariableError", "expand", "variables_in"]

_REFERENCE = re.compile(r"(\$?)\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?)?\}")


class UnsetVariableError(LookupError):
    """A variable without value and default; the argument is its name."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """The text with references replaced; `$${NAME}` stays as `${NAME}`.

    As in a shell, the default also stands in for an empty value.
    Raises: UnsetVariableError.
    """

    def value(match: re.Match[str]) -> str:
        escape, name, default = match.groups()
        if escape:
            return match.group()[1:]
        if name is None:
            return match.group()
        if default is not None:
            return env.get(name) or default
        if name not in env:
            raise UnsetVariableError(name)
        return env[name]

    return _REFERENCE.sub(value, text) if "${" in text else text


def variables_in(text: str) -> set[str]:
    """The names that `expand` would look up."""
    return {name for escape, name, _ in _REFERENCE.findall(text) if name and not escape}
