"""Jobs that write small files, and some that fail in every way."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import headmotion as hm
from headmotion.execution.job import Heartbeat, Job, register_job

setups: list[str] = []
"""Names of the jobs that were set up in this process."""


@register_job
@dataclass(frozen=True)
class FileJob(Job):
    path: str
    text: str = "done"
    behavior: str = "write"
    """``write``, ``slow``, ``stall``, ``crash``, ``fail`` or ``fail-setup``."""

    @property
    def output(self) -> Path:
        return Path(self.path)

    def arguments(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(**arguments)

    def setup(self) -> None:
        setups.append(self.path)
        if self.behavior == "fail-setup":
            raise hm.SpecError("file job", "a network", "none", "fetch it")

    def run(self, heartbeat: Heartbeat) -> None:
        if self.behavior == "crash":
            os.abort()
        if self.behavior == "stall":
            time.sleep(1000)
        if self.behavior == "slow":
            for _ in range(15):
                time.sleep(0.1)
                heartbeat()
        if self.behavior == "fail":
            raise hm.CorpusError("file job", "room on the disk", "none")
        print("what a library prints is no reply")
        self.output.write_text(self.text)

    def record_lost_worker(self) -> None:
        self.output.write_text("lost")


@dataclass(frozen=True)
class UnregisteredJob(FileJob):
    """A job that no worker accepts."""
