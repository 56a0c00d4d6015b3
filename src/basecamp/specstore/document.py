"""A stored spec as YAML text: written so that equal specs have equal bytes, read strictly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from basecamp.specstore.name import check_name
from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.dataset import DatasetSpec
from dli.specs.parser import named_dataset

if TYPE_CHECKING:
    from dli.models.metric import MetricSpec

_WORDS = re.compile(
    r"(?!(?i:true|false|null|yes|no|on|off)$)[A-Za-z_][A-Za-z0-9_./@ -]*[A-Za-z0-9_]", re.ASCII
)


def to_yaml(content: dict[str, Any]) -> bytes:
    """A spec as YAML, SQL in readable blocks."""
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.encode()


def from_yaml(data: bytes, name: str) -> dict[str, Any]:
    """The stored form of the spec in the file of `name`.

    Raises:
        DLIValidationError: the text is no valid spec of that name (DLI-203 or a more exact code).
    """
    check_name(name)
    return stored_form(named_dataset(data, name))


def stored_form(spec: DatasetSpec | MetricSpec) -> dict[str, Any]:
    """A spec as it is kept and hashed.

    Raises:
        DLIValidationError: a SQL text is still in a file of its own (DLI-203).
    """
    check_name(spec.name)
    files = [spec.query_file]
    if isinstance(spec, DatasetSpec):
        tests = [] if spec.quality is None else spec.quality.tests
        files += [statement.file for statement in (*spec.pre_statements, *spec.post_statements)]
        files += [test.file for test in tests]
    if any(file is not None for file in files):
        raise DLIValidationError(
            "A stored spec carries its SQL itself: query_statement and sql, not files.",
            code=ErrorCode.SPEC_INVALID,
        )
    content: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return content


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - a stored spec has no aliases
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Blocks for texts of several lines, quotes for all that a reader might take for no text."""
    style = "|" if "\n" in text else None if _WORDS.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
