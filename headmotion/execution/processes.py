"""Tasks done in this process, or in several others on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue

from ..core import errors
from ..core.errors import HeadmotionError
from ..preparation.task import Task, do, parts_of


class InThisProcess:
    """One task after another; what crashes or hangs takes everything with it."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, bool]]:
        """See `Executor`."""
        for task in tasks:
            do(task, parts_of(task.settings), lambda: None)
            yield task, True


@dataclass(frozen=True)
class LocalWorkers:
    """So many processes of one thread each. One that crashes, or makes no progress for ``stall_seconds``, is replaced.

    They are plain subprocesses that are told of tasks in JSON, rather than those of ``multiprocessing``, so that a
    script needs no ``if __name__ == "__main__"``, and a lost one is known by the task that it had.
    """

    count: int
    stall_seconds: float

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, bool]]:
        """See `Executor`."""
        crew = _Crew(iter(tasks), self.stall_seconds)
        threads = [threading.Thread(target=crew.serve, daemon=True) for _ in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                match crew.ended.get():
                    case None:
                        running -= 1
                    case BaseException() as error:
                        raise error
                    case ended:
                        yield ended
        finally:
            crew.stop()
            for thread in threads:
                thread.join()


class _Crew:
    """The threads' common state: each looks after one process."""

    def __init__(self, tasks: Iterator[Task], stall_seconds: float) -> None:
        self.ended: SimpleQueue[tuple[Task, bool] | BaseException | None] = SimpleQueue()
        self._tasks, self._stall_seconds = tasks, stall_seconds
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def serve(self) -> None:
        """Do tasks until there are none."""
        process = None
        try:
            while (task := self._next()) is not None:
                process = process or self._start()
                if process is None:
                    break
                lived = _done(process, task)
                if not lived:
                    self._end(process)
                    process = None
                self.ended.put((task, lived))
        except BaseException as error:
            self.ended.put(error)
        finally:
            if process:
                self._end(process)
            self.ended.put(None)

    def stop(self) -> None:
        """End all processes now."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _next(self) -> Task | None:
        with self._lock:
            return None if self._stopped else next(self._tasks, None)

    def _start(self) -> subprocess.Popen[str] | None:
        command = [sys.executable, "-P", "-m", "headmotion.execution.worker", str(self._stall_seconds)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                command,
                env=environment,
                text=True,
                encoding="utf-8",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._processes.add(process)
        assert process.stdout
        if process.stdout.readline() != "ready\n" and not self._stopped:
            raise HeadmotionError("preparation", "worker processes that start", "one that does not", " ".join(command))
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._processes.discard(process)
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()


def _done(process: subprocess.Popen[str], task: Task) -> bool:
    """Whether the process lived to end the task."""
    assert process.stdin and process.stdout
    try:
        process.stdin.write(task.to_json() + "\n")
        process.stdin.flush()
    except OSError:
        return False
    answer = process.stdout.readline()
    if answer in ("", "done\n"):
        return bool(answer)
    name, *values = json.loads(answer)
    raise getattr(errors, name, HeadmotionError)(*values)
