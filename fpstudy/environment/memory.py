"""The memory that this process may use, in bytes."""

import os
from contextlib import suppress
from pathlib import Path

# The limit of a container, in either version of Linux's control groups.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available() -> int:
    """The machine's memory, or what a container is given of it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in LIMITS:
        with suppress(OSError, ValueError):  # no such file; "max"
            found.append(int(Path(path).read_text(encoding="ascii")))
    return min(found)
