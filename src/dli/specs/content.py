"""What a file or a stored spec says: how much it may be, and all of it as one hash."""

import hashlib
import json
from typing import Any

from dli.exceptions import DLIValidationError, ErrorCode

__all__ = ["SPEC_MAX_BYTES", "content_hash", "digest_of", "of_size"]

SPEC_MAX_BYTES = 1024 * 1024


def of_size(content: bytes) -> bytes:
    """The same, if a stored spec may be that large. Raises: DLIValidationError (203)."""
    if len(content) > SPEC_MAX_BYTES:
        raise DLIValidationError("The spec is larger than 1 MiB.", code=ErrorCode.SPEC_INVALID)
    return content


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a spec."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest_of(text.encode())


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
