"""What a file or a stored spec says, as one hash."""

import hashlib
import json
from typing import Any

__all__ = ["content_hash", "digest_of"]


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a spec."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest_of(text.encode())


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
