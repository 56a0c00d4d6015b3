"""Opens the spec store that a URL names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from basecamp.specstore.file import FileSpecStore
from dli.exceptions import ConfigurationError
from dli.outgoing import VARIABLE, RefusedAddressError

if TYPE_CHECKING:
    from basecamp.specstore.base import SpecStore
    from dli.outgoing import Destinations


def open_spec_store(url: str, default: Path, destinations: Destinations) -> SpecStore:
    """The store at `url`, or in the folder `default` when there is no URL; nothing is read yet.

    Raises:
        ConfigurationError: the URL cannot be used (DLI-001).
    """
    if not url:
        return FileSpecStore(default)
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return FileSpecStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        try:
            from basecamp.specstore.s3 import S3SpecStore  # loads an optional library
        except ImportError as exc:
            raise ConfigurationError("A spec store on S3 needs the extra: dli[s3].") from exc
        _check_endpoint(os.environ.get("AWS_ENDPOINT_URL", ""), destinations)
        return S3SpecStore(url)
    raise ConfigurationError(
        "BASECAMP_SPEC_STORE_URL must look like file:///folder or s3://bucket/prefix."
    )


def _check_endpoint(url: str, destinations: Destinations) -> None:
    """The library for S3 opens its connections itself, so its address is looked up once before."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    try:
        destinations.check_host(parts.hostname, 443)
    except RefusedAddressError as exc:
        raise ConfigurationError(
            f"AWS_ENDPOINT_URL leads to an address that only {VARIABLE} can allow."
        ) from exc
