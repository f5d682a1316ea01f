"""Memory that is freed and wanted again a moment later."""

from __future__ import annotations

import ctypes
import sys

# Of malloc.h; -1 as a threshold never gives memory back.
_SETTINGS = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, -1), "M_TOP_PAD": (-2, 256 << 20)}


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next tensor, on Linux; elsewhere nothing changes.

    Large tensors otherwise go back to the system at once, which then has to clear the pages of the next: a third of the
    time of a step of small networks. It holds for the whole process, so commands choose it and the library does not.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in _SETTINGS.values():
            mallopt(parameter, value)
