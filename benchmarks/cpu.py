"""What processes have used of the CPU, read from Linux."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["QUIET_S", "cpu_s", "is_computing", "session_cpu_s"]

QUIET_S = 0.05

_CPU_CLOCK = 2
"""The id of a process's CPU clock is made of its pid and this."""


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads, to the nanosecond; 0 when it has gone."""
    try:
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
    except OSError:
        return 0.0


def is_computing(pid: int) -> bool:
    before = cpu_s(pid)
    time.sleep(QUIET_S)
    return cpu_s(pid) - before > QUIET_S / 2


def session_cpu_s(leader: int) -> float:
    """CPU seconds of all processes of a session, with those of their children that have ended."""
    used = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[3] == str(leader):
            used += sum(int(ticks) for ticks in fields[11:15])
    return used / os.sysconf("SC_CLK_TCK")
