"""The folder of all corpora, judges and generators. What exists is not made again; what was interrupted is resumed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from headmotion.core.files import atomic_output
from headmotion.training import train

from .corpora import CorpusPlan, corpus_folder
from .experiments import GeneratorRun, Judge


@dataclass(frozen=True)
class Workspace:
    """The folder in which everything is made, and the device that trains."""

    folder: Path
    device: str = "auto"

    def corpus(self, plan: CorpusPlan) -> Path:
        """Return the folder of a corpus, which is written unless it exists."""
        return corpus_folder(plan, self.folder / "corpora")

    def folder_of(self, work: Judge | GeneratorRun) -> Path:
        """Return the folder of a judge or a generator, which depends on all its settings."""
        kind = "judges" if isinstance(work, Judge) else "runs"
        return self.folder / kind / f"{work.name}-{work.key[:8]}"

    def judge(self, judge: Judge) -> Path:
        """Return the file of a judge, which is trained unless it exists."""
        if judge.file is not None:
            return judge.file
        target = self.folder_of(judge) / "syncers.safetensors"
        if not target.exists():
            train(judge.resolved, [self.corpus(judge.corpus)], target.parent, self.device, resume=True, quiet=True)
        return target

    def run(self, run: GeneratorRun) -> list[Path]:
        """Return the model at each mark, trained unless it exists.

        The trainer resumes exactly, so a run in parts equals the run in one piece.
        """
        return [self._train_up_to(mark, run) for mark in run.marks]

    def _train_up_to(self, mark: int, run: GeneratorRun) -> Path:
        target = self.folder_of(run) / f"model-{mark:06d}.safetensors"
        if not target.exists():
            data, guide = [self.corpus(run.corpus)], self.judge(run.guide)
            recipe, folder = run.resolved(mark), self.folder_of(run)
            model = train(recipe, data, folder, self.device, resume=True, quiet=True, syncers=guide)
            with atomic_output(target) as temporary:
                shutil.copyfile(model, temporary)
        return target
