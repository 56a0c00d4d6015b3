"""For the generator of requests: each of its connections comes from another loopback address.

So the slowing down of who guesses tokens, which is by address, does not hide what else is answered.
"""

import secrets
from typing import Any

from urllib3.connection import HTTPConnection

_begin = HTTPConnection.__init__


def _from_elsewhere(self: HTTPConnection, *args: Any, **kwargs: Any) -> None:
    # Not of `random`: hypothesis begins it anew for each case, with the same addresses.
    address = ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))
    kwargs["source_address"] = (f"127.{address}", 0)
    _begin(self, *args, **kwargs)


HTTPConnection.__init__ = _from_elsewhere  # type: ignore[method-assign]
