"""The CODE set of a bucket: one pointer names a manifest, which names each spec by its hash.

code.json             {"version", "sha256"}: the set in force and the hash of its manifest
versions/<id>.json    {"specs": {name: sha256}}: a set; it never changes
objects/<sha256>.yaml the specs; they never change either
code/NAME.yaml        read as the set when there is no pointer: somebody copied files by hand
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dli.specs.bucket import BucketError
from dli.specs.content import digest_of
from dli.specs.name import is_name

if TYPE_CHECKING:
    from dli.specs.bucket import Bucket

__all__ = ["POINTER", "SUFFIX", "CodeSet", "CodeSets", "manifest_path", "object_path"]

POINTER = "code.json"
SUFFIX = ".yaml"


@dataclass(frozen=True)
class CodeSet:
    """A set in force. `version` and `tag` are empty for files that were copied by hand."""

    version: str
    tag: str
    signatures: dict[str, str]

    def path(self, name: str) -> str:
        """Where the spec of a name lies."""
        return object_path(self.signatures[name]) if self.version else f"code/{name}{SUFFIX}"

    def checked(self, name: str, data: bytes) -> bytes:
        """The bytes of a spec, if they are those that were published. Raises BucketError."""
        if self.version and digest_of(data) != self.signatures[name]:
            raise BucketError("The object is not the spec that was published.")
        return data


class CodeSets:
    """Reads the set in force; the manifest only when the pointer has moved."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._known: CodeSet | None = None

    def latest(self, name: str) -> CodeSet:
        """The set as it was last seen, if it has `name`, else as it is now.

        Raises: FileNotFoundError when neither has it, and OSError.
        """
        if self._known is not None and name in self._known.signatures:
            return self._known
        found = self.in_force()
        if name not in found.signatures:
            raise FileNotFoundError("There is no such spec.")
        return found

    def forget(self) -> None:
        """The set in force is about to be another one."""
        self._known = None

    def in_force(self) -> CodeSet:
        """The set as it is now. Raises OSError; nothing may be concluded then."""
        try:
            pointer, tag = self._bucket.get(POINTER)
        except FileNotFoundError:
            self._known = CodeSet("", "", tags_of(self._bucket, "code"))
            return self._known
        if self._known is None or self._known.tag != tag:
            self._known = self._read(pointer, tag)
        return self._known

    def _read(self, pointer: bytes, tag: str) -> CodeSet:
        try:
            said = json.loads(pointer)
            manifest, _ = self._bucket.get(manifest_path(said["version"]))
            if digest_of(manifest) != said["sha256"]:
                raise BucketError("The list of the published specs is damaged.")
            return CodeSet(said["version"], tag, dict(json.loads(manifest)["specs"]))
        except FileNotFoundError as exc:
            raise BucketError("The list of the published specs is missing.") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise BucketError("The pointer to the published specs cannot be read.") from exc


def tags_of(bucket: Bucket, folder: str) -> dict[str, str]:
    """The tag of each spec of a folder. Raises OSError."""
    return {
        name: found.e_tag
        for path, found in bucket.listed(folder).items()
        if path.endswith(SUFFIX) and is_name(name := path.removesuffix(SUFFIX))
    }


def manifest_path(version: str) -> str:
    """Where the manifest of a version lies."""
    return f"versions/{version}.json"


def object_path(sha256: str) -> str:
    """Where the spec with this hash lies."""
    return f"objects/{sha256}{SUFFIX}"
