"""The spec store in an S3 bucket; its layout is that of `dli.specs.code_set`.

manual/NAME.yaml   one object per MANUAL workflow
state/NAME.json    what differs from the spec, such as a pause; for readers beside us
"""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from basecamp.specstore.base import FileKey
from basecamp.specstore.document import to_yaml
from basecamp.specstore.fault import as_server_error
from basecamp.specstore.name import check_name
from basecamp.specstore.state import SUFFIX as STATE_SUFFIX
from basecamp.specstore.state import of_json, to_json
from dli.exceptions import ErrorCode, ServerError
from dli.specs.bucket import Bucket, BucketConflictError
from dli.specs.code_set import (
    POINTER,
    SUFFIX,
    CodeSets,
    manifest_path,
    object_path,
    tags_of,
)
from dli.specs.content import digest_of, of_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KEPT_VERSIONS = 3
_YOUNG = timedelta(hours=1)
"""Objects of a set that is being staged belong to no version yet."""
_AT_ONCE = 16


class S3SpecStore:
    """Implements `basecamp.specstore.base.SpecStore`; several servers may use it at once."""

    def __init__(self, url: str) -> None:
        self._bucket = Bucket(url)
        self._sets = CodeSets(self._bucket)

    def prepare(self) -> bool:
        """Tell whether there is a CODE set; a bucket needs nothing made in it."""
        with _as_server_error():
            found = self._sets.in_force()
        return bool(found.version or found.signatures)

    def scan(self) -> dict[FileKey, str]:
        with _as_server_error():
            code = self._sets.in_force().signatures
            manual = tags_of(self._bucket, "manual")
        found = {FileKey("manual", name): tag for name, tag in manual.items()}
        return found | {FileKey("code", name): signature for name, signature in code.items()}

    def read(self, key: FileKey) -> bytes:
        check_name(key.name)
        if key.source_type == "manual":
            data, _ = self._bucket.get(_manual_path(key.name))
            return of_size(data)
        found = self._sets.latest(key.name)
        data, _ = self._bucket.get(found.path(key.name))
        return found.checked(key.name, of_size(data))

    def signature(self, key: FileKey) -> str | None:
        return self.signatures([key])[key]

    def signatures(self, keys: Iterable[FileKey]) -> dict[FileKey, str | None]:
        wanted = list(keys)
        with _as_server_error():
            code = self._sets.in_force().signatures
            manual: Mapping[str, str] = {}
            if any(key.source_type == "manual" for key in wanted):
                manual = tags_of(self._bucket, "manual")
        return {
            key: (code if key.source_type == "code" else manual).get(key.name) for key in wanted
        }

    def put_manual(self, name: str, content: dict[str, Any]) -> None:
        check_name(name)
        with _as_server_error():
            self._bucket.put(_manual_path(name), to_yaml(content))

    def remove_manual(self, name: str) -> None:
        check_name(name)
        with _as_server_error():
            self._bucket.remove(_manual_path(name))

    def states(self) -> dict[str, dict[str, Any]]:
        with _as_server_error():
            names = [name for name in self._bucket.listed("state") if name.endswith(STATE_SUFFIX)]
            return {
                name.removesuffix(STATE_SUFFIX): of_json(self._bucket.get(f"state/{name}")[0])
                for name in names
            }

    def put_state(self, name: str, state: dict[str, Any]) -> None:
        check_name(name)
        with _as_server_error():
            self._bucket.put(_state_path(name), to_json(state))

    def remove_state(self, name: str) -> None:
        check_name(name)
        with _as_server_error():
            self._bucket.remove(_state_path(name))

    def stage_code(self, contents: Mapping[str, dict[str, Any]]) -> str:
        specs: dict[str, str] = {}
        objects: dict[str, bytes] = {}
        for name, content in contents.items():
            check_name(name)
            data = to_yaml(content)
            specs[name] = digest_of(data)
            objects[specs[name]] = data
        with _as_server_error():
            there = self._bucket.listed("objects")
            fresh = [sha256 for sha256 in objects if f"{sha256}{SUFFIX}" not in there]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda sha256: self._store(sha256, objects[sha256]), fresh))
            version = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
            manifest = json.dumps({"specs": specs}, sort_keys=True).encode()
            self._bucket.create(manifest_path(version), manifest)
        return version

    def switch_code(self, staged: str) -> str:
        """Move the pointer, if it is still where it was read.

        Raises:
            ServerError: another writer moved it meanwhile (DLI-504); nothing has changed.
        """
        with _as_server_error():
            before = self._sets.in_force()
            self._sets.forget()
            if not staged:  # back to files that lie there by hand
                self._bucket.remove(POINTER)
                return before.version
            manifest, _ = self._bucket.get(manifest_path(staged))
            pointer = json.dumps({"version": staged, "sha256": digest_of(manifest)}).encode()
            try:
                if before.version:
                    self._bucket.put(POINTER, pointer, replaces=before.tag)
                else:
                    self._bucket.create(POINTER, pointer)
            except BucketConflictError:
                if self._sets.in_force().version != staged:  # else the first answer was lost
                    raise
        return before.version

    def prune_code(self) -> None:
        with _as_server_error():
            in_force = self._sets.in_force().version
            found = sorted(self._bucket.listed("versions"))
            kept = {*found[-_KEPT_VERSIONS:], f"{in_force}.json"} & set(found)
            for name in set(found) - kept:
                self._bucket.remove(f"versions/{name}")
            used: set[str] = set()
            for name in kept:
                manifest, _ = self._bucket.get(f"versions/{name}")
                used.update(json.loads(manifest)["specs"].values())
            self._remove_unused(used)

    def _remove_unused(self, used: set[str]) -> None:
        old = datetime.now(UTC) - _YOUNG
        for name, found in self._bucket.listed("objects").items():
            if name.removesuffix(SUFFIX) not in used and found.changed_at < old:
                self._bucket.remove(f"objects/{name}")

    def _store(self, sha256: str, data: bytes) -> None:
        try:
            self._bucket.create(object_path(sha256), data)
        except BucketConflictError:
            return  # the same bytes by another hand, or by an attempt whose answer was lost


@contextmanager
def _as_server_error() -> Iterator[None]:
    with as_server_error():
        try:
            yield
        except BucketConflictError as exc:
            raise ServerError(
                "The CODE set was changed by somebody else meanwhile; publish again.",
                code=ErrorCode.SERVER_EXECUTION,
                details={"retry_after": 1},
            ) from exc


def _state_path(name: str) -> str:
    return f"state/{name}{STATE_SUFFIX}"


def _manual_path(name: str) -> str:
    return f"manual/{name}{SUFFIX}"
