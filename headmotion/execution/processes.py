"""Jobs in several processes of this machine."""

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
from typing import Generic

from ..core import errors
from ..core.errors import HeadmotionError
from .job import AnyJob, Job, job_to_json


@dataclass(frozen=True)
class ProcessExecutor:
    """``count`` processes of one thread each. One that crashes, or stalls for ``stall_seconds``, is replaced.

    They are plain subprocesses that receive jobs as JSON lines, not those of ``multiprocessing``: a script needs no
    ``if __name__ == "__main__"``, and it is known which job a lost process had.
    """

    count: int
    stall_seconds: float

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[AnyJob]:
        """See `Executor`."""
        pool = _WorkerPool(iter(jobs), self.stall_seconds)
        threads = [threading.Thread(target=pool.serve, daemon=True) for _ in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                match pool.events.get():
                    case None:
                        running -= 1
                    case BaseException() as error:
                        raise error
                    case job, succeeded:
                        if not succeeded:
                            job.record_lost_worker()
                        yield job
        finally:
            pool.stop()
            for thread in threads:
                thread.join()


class _WorkerPool(Generic[AnyJob]):
    """State that the threads share; each thread looks after one process."""

    def __init__(self, jobs: Iterator[AnyJob], stall_seconds: float) -> None:
        self.events: SimpleQueue[tuple[AnyJob, bool] | BaseException | None] = SimpleQueue()
        """Ended jobs with whether they succeeded, errors that end all work, and None for each thread that ends."""
        self._jobs, self._stall_seconds = jobs, stall_seconds
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def serve(self) -> None:
        """Give jobs to one process, or to its successors, until there are none."""
        process = None
        try:
            while (job := self._next_job()) is not None:
                process = process or self._start_process()
                if process is None:
                    break
                succeeded = _run_in_process(process, job)
                # A lost process costs one job; the next job gets a new process.
                if not succeeded:
                    self._end_process(process)
                    process = None
                self.events.put((job, succeeded))
        except BaseException as error:
            self.events.put(error)
        finally:
            if process:
                self._end_process(process)
            self.events.put(None)

    def stop(self) -> None:
        """Kill all processes."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _next_job(self) -> AnyJob | None:
        with self._lock:
            return None if self._stopped else next(self._jobs, None)

    def _start_process(self) -> subprocess.Popen[str] | None:
        command = [sys.executable, "-P", "-m", "headmotion.execution.worker", str(self._stall_seconds)]
        # The workers import from where this process does: a script may have extended its path.
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
        # Until then the process may fail to import what it needs, which no job is to blame for.
        if process.stdout.readline() != "ready\n" and not self._stopped:
            got = "a process that ended at once"
            raise HeadmotionError("workers", "worker processes that start", got, f"try {' '.join(command)}")
        return process

    def _end_process(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._processes.discard(process)
        process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()


def _run_in_process(process: subprocess.Popen[str], job: Job) -> bool:
    """Have a worker process do a job, and return whether the process survived it.

    Raises:
        HeadmotionError: the error that the job raised there.
    """
    assert process.stdin and process.stdout
    try:
        process.stdin.write(job_to_json(job) + "\n")
        process.stdin.flush()
    except OSError:
        return False
    reply = process.stdout.readline()
    if reply in ("", "done\n"):  # "": the process is gone
        return bool(reply)
    name, *fields = json.loads(reply)
    raise getattr(errors, name, HeadmotionError)(*fields)
