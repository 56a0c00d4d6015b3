"""How two specs differ, for reading."""

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import yaml

__all__ = ["difference"]


def difference(old: Mapping[str, Any], new: Mapping[str, Any], *, titles: tuple[str, str]) -> str:
    """A unified diff of both as YAML, SQL line by line; empty when they say the same."""
    return "\n".join(unified_diff(_lines(old), _lines(new), *titles, lineterm=""))


def _lines(spec: Mapping[str, Any]) -> list[str]:
    text: str = yaml.dump(dict(spec), Dumper=_Dumper, allow_unicode=True, width=10_000)
    return text.splitlines()


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    is_block = "\n" in value
    if is_block:  # YAML can write a block only without spaces at the ends of lines
        value = "\n".join(line.rstrip() for line in value.splitlines()) + "\n"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if is_block else None)


_Dumper.add_representer(str, _text)
