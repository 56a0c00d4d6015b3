"""Files of the bundle's folder: data that many DAGs share, and the fixed stubs that load it.

A stub is Python that never changes with a spec. Airflow parses it when its time of change is new.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from dli_airflow.entry import Entry

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "SENTINEL",
    "Shard",
    "data_path",
    "number_of",
    "problem_path",
    "read_shard",
    "remove",
    "retired_path",
    "seen_version",
    "shard_path",
    "shard_stubs",
    "write_atomically",
    "write_seen",
    "write_shard",
    "write_stub",
]

SENTINEL = "dli_sentinel.py"
_STUB = '''"""An airflow file: its dags stand for specs of the store and are data beside it."""

from dli_airflow.loader import load

globals().update(load(__file__))
'''


class Shard(NamedTuple):
    """The entries of one stub, by name; `version` changes with each of them."""

    version: str
    entries: dict[str, Entry]


def number_of(name: str, shards: int) -> int:
    """The shard of a workflow: the same for ever, for a task looks for its DAG where it began."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % shards


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"dli_shard_{number:03}.py"


def shard_stubs(folder: Path) -> list[Path]:
    """The stubs of all shards that have data."""
    return [path.with_suffix(".py") for path in folder.glob("dli_shard_*.json")]


def problem_path(folder: Path, name: str) -> Path:
    """A file of its own for what is wrong with one spec: its import error carries the name."""
    return folder / "problems" / f"{name}.py"


def retired_path(folder: Path, name: str) -> Path:
    """A file of its own for a workflow that has left the store."""
    return folder / "retired" / f"{name}.py"


def data_path(stub: Path) -> Path:
    return stub.with_suffix(".json")


def read_shard(stub: Path) -> Shard:
    """The data of a stub. Raises ValueError for data of another form."""
    data = json.loads(data_path(stub).read_bytes())
    try:
        entries = {name: Entry.from_json(item) for name, item in data["entries"].items()}
        return Shard(data["version"], entries)
    except (KeyError, TypeError) as exc:
        raise ValueError(f"{data_path(stub).name} was written by another release") from exc


def write_shard(stub: Path, entries: dict[str, Entry]) -> None:
    """Replace the data of a stub and make Airflow read it again."""
    items = {name: entry.to_json() for name, entry in sorted(entries.items())}
    text = json.dumps(items, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    version = hashlib.sha256(text.encode()).hexdigest()
    stub.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(data_path(stub), f'{{"version":"{version}","entries":{text}}}')
    write_stub(stub)


def write_stub(stub: Path) -> None:
    """Write the stub anew: its time of change makes Airflow parse it."""
    stub.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(stub, _STUB)


def write_seen(stub: Path, version: str) -> None:
    """Note which version a parse of the whole stub has loaded."""
    write_atomically(stub.with_suffix(".seen"), version)


def seen_version(stub: Path) -> str:
    try:
        return stub.with_suffix(".seen").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def write_atomically(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def remove(stub: Path) -> None:
    """Take a stub and its data away; the stub first, for it cannot be loaded without."""
    for path in (stub, data_path(stub), stub.with_suffix(".seen")):
        path.unlink(missing_ok=True)
