"""Tasks done on the machines of a Ray cluster, which share a file system that holds the videos and the corpus."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..core.errors import HeadmotionError
from ..core.lazy import import_optional
from ..preparation.staging import is_staged
from ..preparation.task import Task, do, parts_of
from .worker import Watchdog

CONNECT_SECONDS = 10
"""For which an address is tried."""
AHEAD = 4
"""Tasks given out per processor of the cluster."""


@dataclass(frozen=True)
class RayWorkers:
    """One task per processor of the cluster at ``address``; lost ones are treated as on one machine."""

    address: str
    stall_seconds: float

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, bool]]:
        """See `Executor`."""
        ray = import_optional("ray", "headmotion[ray]", "ray")
        own = not ray.is_initialized()
        if own:
            _connect(ray, self.address)
        try:
            yield from self._run(ray, iter(tasks))
        finally:
            if own:
                ray.shutdown()

    def _run(self, ray: Any, tasks: Iterator[Task]) -> Iterator[tuple[Task, bool]]:
        remote = ray.remote(num_cpus=1, max_retries=0)(_do)
        most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: dict[Any, Task] = {}
        try:
            while True:
                for task in islice(tasks, most - len(waiting)):
                    waiting[remote.remote(task, self.stall_seconds)] = task
                if not waiting:
                    return
                (ready,), _ = ray.wait(list(waiting), num_returns=1)
                task = waiting.pop(ready)
                yield task, _lived(ray, ready, task)
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)


def _do(task: Task, stall_seconds: float) -> None:
    parts = parts_of(task.settings)
    with Watchdog(stall_seconds) as watchdog:
        do(task, parts, watchdog.alive)


def _lived(ray: Any, reference: Any, task: Task) -> bool:
    try:
        ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, HeadmotionError) else error from None
    except ray.exceptions.RayError:
        return False
    if not is_staged(Path(task.folder)):
        got = f"nothing at {task.folder} after a task"
        raise HeadmotionError("ray", "a file system that all machines share", got, "give an output that they all see")
    return True


def _connect(ray: Any, address: str) -> None:
    try:
        _check_listens(address)
        environment = {"env_vars": {"OMP_NUM_THREADS": "1"}}
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        got = f"{address!r} ({' '.join(str(error).split())[:160]})"
        raise HeadmotionError("ray", "the address of a running cluster", got, "start one: ray start --head") from None


def _check_listens(address: str) -> None:
    """Raise at once where nobody listens, for which Ray would wait some minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
