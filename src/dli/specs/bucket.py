"""Objects below a prefix of an S3 bucket: whole or not at all, lists complete or none at all."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from obstore import exceptions
from obstore.store import S3Store

from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bucket", "BucketConflictError", "BucketError", "Listed"]

_RETRIES: Any = {
    "max_retries": 5,
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
    "retry_timeout": timedelta(seconds=3),
}
# A caller may hold the state store meanwhile: a bucket that does not answer is soon given up.
_CLIENT: Any = {"timeout": "5s", "connect_timeout": "2s", "allow_http": True}
_PAGE = 1_000

P = ParamSpec("P")
T = TypeVar("T")


class BucketError(OSError):
    """The bucket did not do what was asked; it may later."""


class BucketConflictError(BucketError):
    """The object is not the one that was to be replaced."""


class Listed(NamedTuple):
    """An object as a list shows it."""

    e_tag: str
    size_bytes: int
    changed_at: datetime


def _mapped(function: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except (FileNotFoundError, exceptions.NotFoundError) as exc:
            raise FileNotFoundError("There is no such object.") from exc
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as exc:
            raise BucketConflictError("Another writer was faster.") from exc
        except exceptions.BaseError as exc:
            raise BucketError(f"The bucket refused or failed: {type(exc).__name__}.") from exc

    return call


class Bucket:
    """The objects below `s3://bucket/prefix`; address and keys come from the `AWS_*` variables."""

    def __init__(self, url: str) -> None:
        """Raises: ConfigurationError DLI-001 when the URL or a variable cannot be used."""
        try:
            self._store = S3Store.from_url(url, client_options=_CLIENT, retry_config=_RETRIES)
        except (exceptions.BaseError, ValueError) as exc:
            raise ConfigurationError(
                "The spec store's URL or an AWS_* variable cannot be used."
            ) from exc

    @_mapped
    def get(self, path: str) -> tuple[bytes, str]:
        """The bytes of an object and its tag. Raises FileNotFoundError and BucketError."""
        found = self._store.get(path)
        data = bytes(found.bytes())
        if len(data) != found.meta["size"]:
            raise BucketError("The object did not come whole.")
        return data, found.meta["e_tag"] or ""

    @_mapped
    def tag(self, path: str) -> str:
        """The tag of an object, which changes with its bytes. Raises as `get`."""
        return self._store.head(path)["e_tag"] or ""

    @_mapped
    def listed(self, folder: str) -> dict[str, Listed]:
        """Every object of a folder by its name there. Raises BucketError when any page fails."""
        found: dict[str, Listed] = {}
        for page in self._store.list(f"{folder}/", chunk_size=_PAGE):
            for meta in page:
                name = meta["path"].removeprefix(f"{folder}/")
                if name in found:
                    raise BucketError("The bucket's list repeats itself.")
                found[name] = Listed(meta["e_tag"] or "", meta["size"], meta["last_modified"])
        return found

    @_mapped
    def put(self, path: str, data: bytes, *, replaces: str | None = None) -> None:
        """Write an object, over the one whose tag is `replaces` when that is given.

        Raises BucketConflictError when the tag has changed, and BucketError.
        """
        mode: Any = "overwrite" if replaces is None else {"e_tag": replaces}
        self._store.put(path, data, mode=mode, use_multipart=False)

    @_mapped
    def create(self, path: str, data: bytes) -> None:
        """Write a new object. Raises BucketConflictError when there is one, and BucketError."""
        self._store.put(path, data, mode="create", use_multipart=False)

    @_mapped
    def remove(self, path: str) -> None:
        """Remove an object if there is one. Raises BucketError."""
        try:
            self._store.delete(path)
        except (FileNotFoundError, exceptions.NotFoundError):
            return
