"""Where a text comes from, so that messages can point at it."""

from typing import NamedTuple

__all__ = ["Origin"]


class Origin(NamedTuple):
    """`label` names a file or a part of a spec; the text begins on its line `first_line`."""

    label: str
    first_line: int = 1

    def at(self, line: int) -> str:
        """`label:line` for a line of the text, counted from 1."""
        return f"{self.label}:{self.first_line + line - 1}"

    def __str__(self) -> str:
        return self.at(1)
