"""How much memory a worker process may use."""

from __future__ import annotations

import os
import resource
import sys

_RESERVE_MB = 2048


def limit_memory(megabytes: int) -> None:
    """Refuse this process more than so much memory; 0 leaves the warehouse its half and some.

    Only memory that can be written counts. Where the system does not support that, nothing is
    limited.
    """
    if sys.platform != "linux":
        return
    total_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    limit_bytes = (megabytes or total_mb // 2 + _RESERVE_MB) * 2**20
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    if highest != resource.RLIM_INFINITY:
        limit_bytes = min(limit_bytes, highest)
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
