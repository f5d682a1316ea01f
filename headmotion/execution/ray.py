"""Jobs on the machines of a Ray cluster, which share a file system that holds the inputs and the outputs."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cv2

from ..core.errors import HeadmotionError
from ..core.lazy import import_optional
from .job import AnyJob, Job, job_from_json, job_to_json
from .worker import Watchdog

CONNECT_SECONDS = 10
"""How long an address is tried."""
JOBS_AHEAD = 4
"""Jobs handed to the cluster per processor, so that none waits for the next."""


@dataclass(frozen=True)
class RayExecutor:
    """One job per processor of the cluster at ``address``; lost workers are treated as on one machine."""

    address: str
    stall_seconds: float

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[AnyJob]:
        """See `Executor`."""
        ray = import_optional("ray", "headmotion[ray]", "ray")
        connecting = not ray.is_initialized()
        if connecting:
            _connect(ray, self.address)
        try:
            yield from self._run(ray, iter(jobs))
        finally:
            if connecting:
                ray.shutdown()

    def _run(self, ray: Any, jobs: Iterator[AnyJob]) -> Iterator[AnyJob]:
        # Without retries: a job that crashes its worker would crash the next.
        remote = ray.remote(num_cpus=1, max_retries=0)(_run_job)
        limit = JOBS_AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: dict[Any, AnyJob] = {}
        try:
            while True:
                for job in islice(jobs, limit - len(waiting)):
                    waiting[remote.remote(job_to_json(job), self.stall_seconds)] = job
                if not waiting:
                    return
                (ready,), _ = ray.wait(list(waiting), num_returns=1)
                job = waiting.pop(ready)
                if not _succeeded(ray, ready, job):
                    job.record_lost_worker()
                yield job
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)


def _run_job(line: str, stall_seconds: float) -> None:
    cv2.setNumThreads(1)  # OpenCV has threads of its own, which OMP_NUM_THREADS does not limit
    job = job_from_json(line)
    job.setup()
    with Watchdog(stall_seconds) as watchdog:
        job.run(watchdog.heartbeat)


def _succeeded(ray: Any, reference: Any, job: Job) -> bool:
    """Return whether the worker survived the job.

    Raises:
        HeadmotionError: the error that the job raised, or its output is not visible on this machine.
    """
    try:
        ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, HeadmotionError) else error from None
    except ray.exceptions.RayError:
        return False
    # The worker wrote it on its own machine, if the machines share no file system.
    if not job.output.exists():
        got = f"nothing at {job.output} after a job"
        raise HeadmotionError("ray", "a file system that all machines share", got, "give an output that they all see")
    return True


def _connect(ray: Any, address: str) -> None:
    try:
        _check_listens(address)
        environment = {"env_vars": {"OMP_NUM_THREADS": "1"}}
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        got = f"{address!r} ({error})"
        raise HeadmotionError("ray", "the address of a running cluster", got, "start one: ray start --head") from None


def _check_listens(address: str) -> None:
    """Raise an OSError at once where nothing listens; Ray itself would wait for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
