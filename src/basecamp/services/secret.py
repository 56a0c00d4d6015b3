"""The form of tokens: a prefix that scanners find, 256 random bits, a checksum."""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib

KINDS = ("api", "login", "ci")
"""Made by somebody, for somebody who logged in, for a job of a CI system."""
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_DIGITS = 43  # 62 ** 43 is just more than 2 ** 256
_CHECK_DIGITS = 6
_TAIL = _RANDOM_DIGITS + _CHECK_DIGITS
_PREFIXES = frozenset(f"bcp_{kind}_" for kind in KINDS)


def new_secret(kind: str = "api") -> str:
    """A token that nobody can guess."""
    body = f"bcp_{kind}_" + _digits(secrets.randbits(256), _RANDOM_DIGITS)
    return body + _checksum(body)


def is_well_formed(text: str) -> bool:
    """Whether the text could be one of ours: a guess seldom is, and costs no look at the store."""
    if not text.isascii() or text[:-_TAIL] not in _PREFIXES:
        return False
    return _checksum(text[:-_CHECK_DIGITS]) == text[-_CHECK_DIGITS:]


def hash_of(secret: str) -> str:
    """What the store keeps. A slow hash would add nothing to 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _digits(zlib.crc32(text.encode()), _CHECK_DIGITS)


def _digits(number: int, count: int) -> str:
    found = ""
    for _ in range(count):
        number, digit = divmod(number, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
