"""What runs jobs: the interface, the simplest executor, and the choice between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from ..core.errors import SpecError
from .job import AnyJob


class Executor(Protocol):
    """Something that runs jobs, on this machine or on others."""

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[AnyJob]:
        """Run all jobs and return each when it has ended, in any order.

        A job whose worker crashed or stalled has ended too, after its `Job.record_lost_worker`.

        Raises:
            HeadmotionError: an error of `Job.setup` or `Job.run`, or workers that cannot be started.
        """


class InProcessExecutor:
    """An executor without workers: one job after another in this process, which a bad job can crash or stall."""

    def run(self, jobs: Iterable[AnyJob]) -> Iterator[AnyJob]:
        """See `Executor`."""
        for job in jobs:
            job.setup()
            job.run(lambda: None)
            yield job


def resolve_executor(workers: int | None, ray_address: str | None, stall_seconds: float) -> Executor:
    """Return the executor that a user asked for.

    Args:
        workers: number of processes on this machine; None: one per processor; 0: this process only.
        ray_address: address of a running Ray cluster, which is used instead of this machine's processes.
        stall_seconds: a job without a heartbeat for this long has stalled.

    Raises:
        SpecError: a negative number of workers, or a ``stall_seconds`` that is not above 0.
    """
    if not stall_seconds > 0:
        raise SpecError("workers", "more than 0 seconds without progress", repr(stall_seconds))
    if ray_address is not None:
        from .ray import RayExecutor

        return RayExecutor(ray_address, stall_seconds)
    count = (os.cpu_count() or 1) if workers is None else workers
    if count < 0:
        raise SpecError("workers", "a number from 0", str(count))
    if count == 0:
        return InProcessExecutor()
    from .processes import ProcessExecutor

    return ProcessExecutor(count, stall_seconds)
