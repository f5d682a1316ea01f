"""Judges and runs, trained in folders of their own. What is done is not done again; what was cut short goes on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from headmotion.core.files import atomic_output
from headmotion.training import train

from .corpora import Plan, made
from .table import Judge, Run


@dataclass(frozen=True)
class Workshop:
    """The folder in which everything is made, and the device that trains."""

    folder: Path
    device: str = "auto"

    def corpus(self, plan: Plan) -> Path:
        """Its folder, written unless it is there."""
        return made(plan, self.folder / "corpora")

    def place(self, work: Judge | Run) -> Path:
        """The folder of a judge or a run; other settings have another one."""
        kind = "judges" if isinstance(work, Judge) else "runs"
        return self.folder / kind / f"{work.name}-{work.key[:8]}"

    def judge(self, judge: Judge) -> Path:
        """The file of trained syncers."""
        if judge.given is not None:
            return judge.given
        target = self.place(judge) / "syncers.safetensors"
        if not target.exists():
            train(judge.resolved, [self.corpus(judge.corpus)], target.parent, self.device, resume=True, quiet=True)
        return target

    def run(self, run: Run) -> list[Path]:
        """The model at each mark. The trainer resumes exactly, so a run in parts is the run in one piece."""
        return [self._up_to(mark, run) for mark in run.marks]

    def model(self, run: Run, mark: int) -> Path:
        """Where the model at a mark is or will be."""
        return self.place(run) / f"model-{mark:06d}.safetensors"

    def _up_to(self, mark: int, run: Run) -> Path:
        target = self.model(run, mark)
        if not target.exists():
            data, guide = [self.corpus(run.corpus)], self.judge(run.guide)
            recipe, folder = run.resolved(mark), self.place(run)
            model = train(recipe, data, folder, self.device, resume=True, quiet=True, syncers=guide)
            with atomic_output(target) as temporary:
                shutil.copyfile(model, temporary)
        return target
