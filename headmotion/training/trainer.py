"""The trainer: builds what a recipe names and runs its phases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from ..core.arguments import as_list, as_path, as_texts
from ..core.claims import claimed_folder
from ..core.errors import TrainingError
from ..core.interfaces.phase import Phase, SupportsFinalCheck, SupportsResultFile
from ..core.progress import track
from .build import Training, build_training
from .context import PIPELINE_PARTS
from .corpus_representation import with_corpus_representation
from .distributed import join_processes
from .event_log import dispatching_events
from .events import Ended, Event, Observer, Stepped, Warned
from .gradient_coverage import GradientCoverage
from .model_card import model_card
from .recipe import RecipeSpec, load_recipe
from .run_directory import RunDirectory, require_run_folder
from .take_step import take_step


def train(
    recipe: str | os.PathLike[str] | RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    device: str = "auto",
    overrides: Sequence[str] = (),
    resume: bool = False,
    quiet: bool = False,
    syncers: str | os.PathLike[str] | None = None,
    start: str | os.PathLike[str] | None = None,
) -> Path:
    """Train a recipe on corpora and return the path of the model, ``output/model.safetensors``.

    A recipe that trains no part of the pipeline makes no model; then the path of the last phase's file is returned,
    such as ``output/syncers.safetensors``.

    The folder also holds the files of phases, the values of every step (``log.jsonl``) and the training state, from
    which ``resume`` continues exactly: on a CPU, bit for bit. Started by torchrun, the processes share each batch.

    Args:
        recipe: a bundled name, a YAML file, or a `RecipeSpec`.
        data: corpus folders; their training splits are joined.
        output: the run's folder.
        device: ``cpu``, ``cuda`` or ``auto``.
        overrides: ``a.b=value`` changes of the recipe.
        resume: continue the run that the folder holds, if any.
        quiet: show no progress.
        syncers: ``syncers.safetensors`` of another run, used instead of training them; several runs can share them.
        start: model whose weights the parts of the recipe begin with (fine-tuning), a bundled name or a checkpoint.
            What it does not have, such as discriminators, begins anew, and a warning says so. Also of a resumed run.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        CheckpointError: the file of syncers or the model is damaged.
        TrainingError: a folder that holds another run or other files, syncers of another recipe, a model whose weights
            do not fit the recipe, or a step that is not finite (the last good state is kept).
    """
    overrides = as_texts(overrides, "overrides", "texts such as a.b=1")
    data = as_list(data, "data", "corpus folders", lambda each: isinstance(each, str | os.PathLike))
    folder = as_path(output, "run", TrainingError)
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    spec = with_corpus_representation(spec, data)
    require_run_folder(folder, spec)
    with join_processes(device) as processes:
        # All phases are built before the folder is made: a recipe or data that do not fit leave nothing behind.
        files = {} if syncers is None else {"syncers": as_path(syncers, "syncers", TrainingError)}
        training = build_training(spec, data, processes, files, start)
        given = _given_results(training, files)
        with claimed_folder(folder) if processes.first else nullcontext():
            clips = {"clips": len(training.corpus), "frames": int(training.corpus.frame_counts.sum())}
            run = RunDirectory(folder, spec, resume, processes, training.start, clips)
            events = dispatching_events(run, training)
            with events if processes.first else nullcontext(_ignore_event) as notify:
                path = _PhaseRunner(training, run, notify, quiet, given).run_all()
                notify(Ended(path))
    return path


def _given_results(training: Training, files: dict[str, Path]) -> dict[str, Path]:
    """Return files by the name of the phase that they are used in place of.

    Args:
        training: what was built.
        files: by the name of a part.

    Raises:
        TrainingError: no phase makes such a part and reads it from a file.
    """
    given = {}
    for part, path in files.items():
        makers = [p.name for p in training.phases if isinstance(p, SupportsResultFile) and part in p.result()]
        if not makers:
            got = f"phases {', '.join(phase.name for phase in training.phases)}"
            raise TrainingError("run", f"a phase that makes {part} and reads them from a file", got, f"give no {part}")
        given[makers[-1]] = path
    return given


class _PhaseRunner:
    """Runs the phases of a training one after another, beginning where the run was stopped."""

    def __init__(
        self, training: Training, run: RunDirectory, notify: Observer, quiet: bool, given: dict[str, Path]
    ) -> None:
        self.training, self.run, self.notify, self.given = training, run, notify, given
        self.quiet = quiet or not run.processes.first
        names = [phase.name for phase in training.phases]
        if run.phase and run.phase not in names:
            expected = f"a phase among {', '.join(names)}, in which the run was stopped"
            raise TrainingError("run", expected, repr(run.phase), "set its steps above 0, or use a new folder")
        # Phases before this one are past, and keep what they made, whatever is given now.
        self.position = names.index(run.phase) if run.phase else 0
        if run.phase in given:
            expected = f"no file in place of phase {run.phase} while it is in training"
            raise TrainingError("run", expected, os.fspath(given[run.phase]), "use a new folder")

    def run_all(self) -> Path:
        """Run all phases and return the path of the model, or of the last phase's file."""
        path = self.run.folder / "model.safetensors"
        self._warn_of_start()
        self._warn_of_other_clips()
        for number, phase in enumerate(self.training.phases):
            phase.start()
            if number < self.position:
                self._restore(phase, None)
            elif phase.name in self.given:
                self._restore(phase, self.given[phase.name])
                self._keep(phase, {})
            else:
                self._warn_ahead(phase)
                self._take_steps(phase)
                self._keep(phase, self._card())
                self._warn(phase)
            self.training.finish(phase)
            if isinstance(phase, SupportsResultFile) and not self.training.makes_model:
                path = self.run.folder / phase.result_file
        if self.training.makes_model:
            self._save_model(path)
        return path

    def _restore(self, phase: Phase, given: Path | None) -> None:
        """Take what a past phase made, or what is given in its place."""
        if self.run.processes.first:
            if given is None:
                self.run.restore_finished(phase)
            elif isinstance(phase, SupportsResultFile):
                phase.read_result(given)
        self._broadcast(phase)

    def _take_steps(self, phase: Phase) -> None:
        first = 0
        if self.run.phase == phase.name:
            self.run.restore(phase)
            first = self.run.step
        self._broadcast(phase)
        steps, coverage = range(first, phase.steps), GradientCoverage(phase)
        for number in track(steps, phase.name, phase.steps, start=first, quiet=self.quiet):
            values = take_step(phase, number, self.run.recipe.seed)
            self.notify(Stepped(phase, number, values))
            for text in coverage.update(number):
                self.notify(Warned(phase, number, text))
            if (number + 1) % self.run.recipe.save_every == 0:
                self.run.save(phase, number + 1)
        self.run.save(phase, max(phase.steps, first))

    def _broadcast(self, phase: Phase) -> None:
        for module in phase.modules.values():
            self.run.processes.broadcast_module(module)

    def _keep(self, phase: Phase, card: dict[str, Any]) -> None:
        """Write what later phases, a resumed run and other runs need of a phase that is finished."""
        if not self.run.processes.first:
            return
        if phase is not self.training.phases[-1]:
            self.run.save_finished(phase)
        if isinstance(phase, SupportsResultFile):
            phase.write_result(self.run.folder / phase.result_file, card)

    def _warn_of_start(self) -> None:
        """Say once how the model that the training starts from differs from the recipe."""
        if self.training.start is not None and not self.run.phase:
            for text in self.training.start.notes:
                self.notify(Warned(self.training.phases[0], 0, text))

    def _warn_of_other_clips(self) -> None:
        """Say that a resumed run is no longer that of its clips: the recipe does not name them."""
        before, now = self.run.clips_before, self.run.clips
        if before is not None and now is not None and before != now:
            counts = [f"{each['clips']} clips of {each['frames']} frames" for each in (before, now)]
            text = f"the run began with {counts[0]} and goes on with {counts[1]}; the result is that of neither"
            self.notify(Warned(self.training.phases[self.position], self.run.step, text))

    def _warn_ahead(self, phase: Phase) -> None:
        """Warn of what is known before a phase, once, before its first step."""
        if self.run.phase != phase.name:
            for text in self.training.warnings[phase.name]:
                self.notify(Warned(phase, 0, text))

    def _warn(self, phase: Phase) -> None:
        if self.run.processes.first and isinstance(phase, SupportsFinalCheck):
            for text in phase.final_warnings():
                self.notify(Warned(phase, phase.steps, text))

    def _save_model(self, path: Path) -> None:
        if self.run.processes.first:
            trained = [phase for phase in self.training.phases if not phase.result().keys().isdisjoint(PIPELINE_PARTS)]
            self.training.pipeline.to(torch.float32).save(path, step=trained[-1].steps, card=self._card())

    def _card(self) -> dict[str, Any]:
        return model_card(self.training, self.run.seconds)


def _ignore_event(event: Event) -> None:
    """Receive the events of all processes but the first."""
