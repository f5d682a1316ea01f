"""A run's folder: the training state, which survives a kill at any moment, and the log of values."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import TrainingError
from ..core.files import atomic_output, naming_file, read_regular, reason_of, replace, write_text
from ..core.interfaces.phase import Phase
from ..core.output_folder import require_free_folder
from .distributed import Processes
from .recipe import RecipeSpec
from .run_state import RunPosition, parse_state, serialize_state
from .same_run import require_same_run
from .starting_model import StartingModel

LOGGER = logging.getLogger("headmotion.training")

RECIPE = "recipe.json"
_STATES = ("state.safetensors", "state.previous.safetensors")


def require_run_folder(folder: Path, recipe: RecipeSpec) -> None:
    """Refuse a folder that holds anything but a run, before any of it is replaced.

    A run that was stopped before its first save has no state, but the recipe.

    Args:
        folder: of the run; it need not exist.
        recipe: of the run.

    Raises:
        TrainingError: it holds other files.
        OSError: it cannot be read.
    """
    if any((folder / name).exists() for name in _STATES):
        return  # whether the state is one of this run is checked where it is read
    try:
        begun = json.loads(read_regular(folder / RECIPE)) == recipe.model_dump(mode="json")
    except (OSError, ValueError, RecursionError):
        begun = False
    if not begun:
        require_free_folder(folder, "run", TrainingError)


class RunDirectory:
    """``state.safetensors`` (modules, optimizers, position), ``log.jsonl`` and ``recipe.json`` in one folder.

    ``finished/NAME.safetensors`` holds the modules of a phase that others follow.

    With several processes only the first touches the folder and passes on what it reads. The state before the newest
    is kept as ``state.previous.safetensors`` and used if the newest is damaged.

    Args:
        folder: made if it is missing.
        recipe: of the run.
        resume: whether the folder may hold a run, which is then continued.
        processes: those that train together.
        start: model that the run starts from.
        clips: number of clips that are trained on, and of frames in them.

    Raises:
        TrainingError: the folder holds a run and ``resume`` is off, or the run of another recipe or another model, or a
            damaged one, or files that are no run's.
    """

    def __init__(
        self,
        folder: Path,
        recipe: RecipeSpec,
        resume: bool,
        processes: Processes | None = None,
        start: StartingModel | None = None,
        clips: dict[str, int] | None = None,
    ) -> None:
        self.folder, self.recipe, self.processes, self.start = folder, recipe, processes or Processes(), start
        self.clips = clips
        self.log = folder / "log.jsonl"
        self.state, self.previous = (folder / name for name in _STATES)
        self._start = time.monotonic()
        stored = self.processes.read_on_first(lambda: self._read(resume))
        position, self._tensors = parse_state(stored) if stored else (RunPosition(), {})
        self.phase, self.step, self.logged, self._seconds_before = position[:4]
        self.clips_before = position.clips
        if not self.processes.first:
            return
        folder.mkdir(parents=True, exist_ok=True)
        # First, because it says whose folder this is from then on; see `require_run_folder`.
        with atomic_output(folder / RECIPE) as temporary:
            write_text(temporary, recipe.model_dump_json(indent=2))
        self._drop_later_lines()

    @property
    def seconds(self) -> float:
        """Time spent on the run so far; that of interrupted runs counts up to their last save."""
        return self._seconds_before + time.monotonic() - self._start

    def _read(self, resume: bool) -> bytes:
        """Return the newest state that is intact; nothing for a new run."""
        candidates = [path for path in (self.state, self.previous) if path.exists()]
        if candidates and not resume:
            raise TrainingError("run", "a new folder", f"{self.folder}, which holds a run", "continue it with --resume")
        require_run_folder(self.folder, self.recipe)
        if resume and not candidates:
            LOGGER.warning("%s holds no run to be continued; the training starts anew", self.folder)
        errors: list[Exception] = []
        for path in candidates:
            try:
                content = read_regular(path)
                position, _ = parse_state(content)
            except (OSError, ValueError) as error:
                errors.append(error)
                continue
            require_same_run(path, position, self.recipe, self.start)
            if errors:
                LOGGER.warning("%s is damaged; going on from step %d of %s", self.state, position.step, path.name)
            return content
        if errors:
            raise self._damaged(errors[0])
        return b""

    def save(self, phase: Phase, step: int) -> None:
        """Save all that step ``step``, which is not taken yet, depends on; the state before becomes the previous."""
        if not self.processes.first:
            return
        tensors = _module_tensors(phase)
        for name, stepper in phase.optimizers.items():
            tensors |= {f"optimizer/{name}/{key}": _contiguous_copy(value) for key, value in stepper.tensors().items()}
        recipe, start = self.recipe.model_dump(mode="json"), None if self.start is None else self.start.identity
        position = RunPosition(phase.name, step, self.logged, round(self.seconds), recipe, start, self.clips)
        with atomic_output(self.state) as temporary:
            # Not by safetensors' save_file, which does not raise an OSError when the disk is full.
            temporary.write_bytes(serialize_state(position, tensors))
            if self.state.exists():
                replace(self.state, self.previous)

    def save_finished(self, phase: Phase) -> None:
        """Save the modules of a phase that is finished, which later phases depend on."""
        path = self._finished(phase)
        path.parent.mkdir(exist_ok=True)
        position = RunPosition(phase.name, phase.steps, self.logged, round(self.seconds), None)
        with atomic_output(path) as temporary:
            temporary.write_bytes(serialize_state(position, _module_tensors(phase)))

    def restore_finished(self, phase: Phase) -> None:
        """Return a finished phase to where `save_finished` left it.

        Raises:
            TrainingError: its file is missing or damaged, or the state of other networks.
        """
        path = self._finished(phase)
        try:
            _, tensors = parse_state(read_regular(path))
            _load_modules(phase, tensors)
        except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
            got = f"{path} ({reason_of(error)})"
            remedy = "begin anew in another folder"
            raise TrainingError("run", f"what the phase {phase.name} left", got, remedy) from None

    def _finished(self, phase: Phase) -> Path:
        return self.folder / "finished" / f"{phase.name}.safetensors"

    def restore(self, phase: Phase) -> None:
        """Return a phase to where it was saved.

        Raises:
            TrainingError: the state is that of other networks.
        """
        tensors, self._tensors = self._tensors, {}
        try:
            _load_modules(phase, tensors)
            for name, stepper in phase.optimizers.items():
                stepper.restore(_with_prefix(tensors, f"optimizer/{name}/"))
        except (RuntimeError, LookupError, ValueError, TypeError) as error:
            raise self._damaged(error) from None

    def record(self, phase: str, step: int, values: Mapping[str, float | str]) -> None:
        """Append one line of values, or of words, to the log."""
        line = {"phase": phase, "step": step} | {
            name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()
        }
        with naming_file(self.log), self.log.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(line) + "\n")
        self.logged += 1

    def _drop_later_lines(self) -> None:
        """Drop damaged lines and those of steps after the last save, which will be taken again."""
        lines = read_regular(self.log).splitlines(keepends=True) if self.logged and self.log.exists() else []
        intact = [line for line in lines[: self.logged] if _is_record(line)]
        self.logged = len(intact)
        with atomic_output(self.log) as temporary:
            temporary.write_bytes(b"".join(intact))

    def _damaged(self, error: Exception) -> TrainingError:
        got = f"{self.state} ({reason_of(error)})"
        return TrainingError("run", "a whole state.safetensors", got, "begin anew in another folder")


def _is_record(line: bytes) -> bool:
    """Return whether `record` may have written a line: phase and step, and numbers or a warning."""
    try:
        values = json.loads(line)
        phase, step = values.pop("phase"), values.pop("step")
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return False
    are_numbers = all(map(_is_number, values.values()))
    return isinstance(phase, str) and isinstance(step, int) and (are_numbers or isinstance(values.get("warning"), str))


def _is_number(value: object) -> bool:
    """Return whether a value of a log is a number that a float can hold."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)


def _module_tensors(phase: Phase) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, module in phase.modules.items():
        tensors |= {f"module/{name}/{key}": _contiguous_copy(value) for key, value in module.state_dict().items()}
    return tensors


def _load_modules(phase: Phase, tensors: Mapping[str, Tensor]) -> None:
    for name, module in phase.modules.items():
        module.load_state_dict(_with_prefix(tensors, f"module/{name}/"))


def _contiguous_copy(tensor: Tensor) -> Tensor:
    """Return a copy in the plain order of memory, the only one that safetensors stores."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)


def _with_prefix(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
