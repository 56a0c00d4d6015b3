"""The effective specs of a spec store in an S3 bucket."""

from __future__ import annotations

from dli.specs.bucket import Bucket
from dli.specs.code_set import SUFFIX, CodeSets, tags_of
from dli.specs.content import of_size
from dli.specs.name import is_name
from dli.specs.published import PublishedEntry, effective, entry_of

__all__ = ["BucketPublishedSpecs"]

_STATE_SUFFIX = ".json"


class BucketPublishedSpecs:
    """Implements `PublishedSpecs` on a bucket; `scan` for one thread at a time."""

    reads_at_once = 16

    def __init__(self, url: str) -> None:
        self._bucket = Bucket(url)
        self._sets = CodeSets(self._bucket)
        self._read_states: dict[str, tuple[str, bytes]] = {}

    def scan(self) -> dict[str, PublishedEntry]:
        states = self._states()
        code = self._sets.in_force().signatures
        manual = tags_of(self._bucket, "manual")
        return effective(_entries("code", code, states), _entries("manual", manual, states))

    def read(self, entry: PublishedEntry) -> bytes:
        if entry.source_type == "manual":
            return of_size(self._bucket.get(f"manual/{entry.name}{SUFFIX}")[0])
        found = self._sets.latest(entry.name)
        data, _ = self._bucket.get(found.path(entry.name))
        return found.checked(entry.name, of_size(data))

    def _states(self) -> dict[str, bytes]:
        """What the state files hold; only those that have changed are read."""
        found = {}
        for path, listed in self._bucket.listed("state").items():
            name = path.removesuffix(_STATE_SUFFIX)
            if name == path or not is_name(name):
                continue
            known = self._read_states.get(name)
            if known is None or known[0] != listed.e_tag:
                known = (listed.e_tag, self._bucket.get(f"state/{path}")[0])
            found[name] = known
        self._read_states = found
        return {name: data for name, (_, data) in found.items()}


def _entries(
    source: str, signatures: dict[str, str], states: dict[str, bytes]
) -> dict[str, PublishedEntry]:
    return {
        name: entry_of(name, source, signature, states.get(name))
        for name, signature in signatures.items()
        if is_name(name)
    }
