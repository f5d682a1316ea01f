"""A process that does jobs: one JSON line in, one line out per job. ``python -m headmotion.execution.worker SECONDS``.

It ends silently when a job stalls for that many seconds, even inside a decoder, and when its parent process is gone.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import cv2

from ..core.errors import HeadmotionError
from .job import job_from_json


class Watchdog:
    """A context that ends the process when `heartbeat` is not called for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.input_ended = threading.Event()
        """Set when the parent process has closed its end of standard input, as it does when it dies."""
        self._parent = os.getppid()
        self._armed_at = 0.0

    def __enter__(self) -> Watchdog:
        self._null = Path(os.devnull).open("w")  # where the traceback of a stalled process goes
        self._arm()
        return self

    def __exit__(self, *exception: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._null.close()

    def heartbeat(self) -> None:
        """Note that the job makes progress."""
        # On Windows the parent's number stays the same when the parent is gone. Ray's workers read no standard input.
        if self.input_ended.is_set() or os.getppid() != self._parent:
            os._exit(1)
        # Arming starts a thread, which is too slow to do for every frame.
        if time.monotonic() - self._armed_at > min(1.0, self.seconds / 4):
            self._arm()

    def _arm(self) -> None:
        # The thread of faulthandler needs no interpreter lock, which a stalled decoder may hold.
        faulthandler.dump_traceback_later(self.seconds, exit=True, file=self._null)
        self._armed_at = time.monotonic()


def _read_lines(ended: threading.Event) -> Iterator[str]:
    """Yield the lines of standard input, which a thread reads, so that ``ended`` is set at once when it ends."""
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        ended.set()
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return iter(lines.get, "")


def main() -> None:
    """Do the jobs that the parent process sends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt ends
    replies = os.fdopen(os.dup(1), "w", 1, encoding="utf-8")
    os.dup2(2, 1)  # libraries that print must not write among the replies
    cv2.setNumThreads(1)  # OpenCV has threads of its own, which OMP_NUM_THREADS does not limit
    watchdog = Watchdog(float(sys.argv[1]))
    print("ready", file=replies)
    for line in _read_lines(watchdog.input_ended):
        try:
            job = job_from_json(line)
            job.setup()
            with watchdog:
                job.run(watchdog.heartbeat)
        except HeadmotionError as error:
            fields = [type(error).__name__, error.component, error.expected, error.got, error.remedy]
            print(json.dumps(fields), file=replies)
        else:
            print("done", file=replies)


if __name__ == "__main__":
    main()
