"""A process that does tasks: JSON lines in, one line out for each. ``python -m headmotion.execution.worker SECONDS``.

It ends without a word when a task makes no progress for that long, even inside a decoder, and when its parent is gone.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from pathlib import Path

import cv2

from headmotion.core.errors import HeadmotionError

from ..preparation.task import Task, do, parts_of


class Watchdog:
    """Ends the process when `alive` is not called for so many seconds; usable as a context."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._parent = os.getppid()
        self._armed = 0.0

    def __enter__(self) -> Watchdog:
        self._nowhere = Path(os.devnull).open("w")
        self._arm()
        return self

    def __exit__(self, *exception: object) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._nowhere.close()

    def alive(self) -> None:
        """Progress was made."""
        if os.getppid() != self._parent:
            os._exit(1)
        if time.monotonic() - self._armed > min(1.0, self.seconds / 4):
            self._arm()

    def _arm(self) -> None:
        # Its thread needs no interpreter lock, which a hanging decoder may hold.
        faulthandler.dump_traceback_later(self.seconds, exit=True, file=self._nowhere)
        self._armed = time.monotonic()


def main() -> None:
    """Serve the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    answers = os.fdopen(os.dup(1), "w", 1, encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    cv2.setNumThreads(1)
    watchdog = Watchdog(float(sys.argv[1]))
    print("ready", file=answers)
    for line in sys.stdin:
        try:
            task = Task.from_json(line)
            parts = parts_of(task.settings)
            with watchdog:
                do(task, parts, watchdog.alive)
        except HeadmotionError as error:
            told = [type(error).__name__, error.component, error.expected, error.got, error.remedy]
            print(json.dumps(told), file=answers)
        else:
            print("done", file=answers)


if __name__ == "__main__":
    main()
