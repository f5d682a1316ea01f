"""Jobs: units of work that any process can do, described by a registered class and JSON arguments."""

from __future__ import annotations

import importlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from ..core.errors import HeadmotionError
from ..core.short_repr import short_repr

Heartbeat = Callable[[], None]
"""What a running job calls whenever it makes progress."""


class Job(ABC):
    """A unit of work for any process on any machine. It leaves a file or folder; no value is sent back."""

    @property
    @abstractmethod
    def output(self) -> Path:
        """File or folder that exists once the job is done, and never before."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return JSON values from which `from_arguments` makes an equal job."""

    @classmethod
    @abstractmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a job from what `arguments` returned."""

    @abstractmethod
    def setup(self) -> None:
        """Load what jobs of this kind share, such as networks, once per process. It may take any time.

        Raises:
            HeadmotionError: no job of this kind can be done; the error ends all work.
        """

    @abstractmethod
    def run(self, heartbeat: Heartbeat) -> None:
        """Do the work. A worker whose job calls ``heartbeat`` too seldom is taken for stalled and replaced.

        Raises:
            HeadmotionError: no further job can be done. A failure of this job alone belongs into its output instead.
        """

    @abstractmethod
    def record_lost_worker(self) -> None:
        """Write an output that says that the worker crashed or stalled. Called in the process of the executor."""


AnyJob = TypeVar("AnyJob", bound=Job)
JobClass = TypeVar("JobClass", bound=type[Job])

_REGISTRY: dict[str, type[Job]] = {}


def register_job(job_class: JobClass) -> JobClass:
    """Register a module-level class of jobs, which makes workers accept it; a class decorator."""
    _REGISTRY[_name(job_class)] = job_class
    return job_class


def job_to_json(job: Job) -> str:
    """Return one line from which `job_from_json` makes an equal job."""
    return json.dumps({"job": _name(type(job)), "arguments": job.arguments()})


def job_from_json(line: str) -> Job:
    """Make the job that `job_to_json` described. The line only names code, it never holds any.

    Raises:
        HeadmotionError: the line names something other than a registered class of jobs.
    """
    values = json.loads(line)
    name = str(values["job"])
    try:
        importlib.import_module(name.partition(":")[0])  # registers the classes of that module
        job_class = _REGISTRY[name]
    except (ImportError, KeyError, ValueError):
        raise HeadmotionError("worker", "the name of a registered job", short_repr(name)) from None
    return job_class.from_arguments(values["arguments"])


def _name(job_class: type[Job]) -> str:
    return f"{job_class.__module__}:{job_class.__qualname__}"
