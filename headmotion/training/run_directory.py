"""A run's folder: the training state, which survives a kill at any moment, and the log of figures."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import HeadmotionError, TrainingError
from ..core.files import atomic_output
from .distributed import Processes
from .phases import Phase
from .recipe import RecipeSpec
from .run_state import Position, packed, parse

LOGGER = logging.getLogger("headmotion.training")


class Run:
    """``state.safetensors`` (modules, optimizers, position), ``log.jsonl`` and ``recipe.json`` in one folder.

    Of several processes the first alone touches the folder; what it reads reaches the others through it. The state
    before the newest is kept as ``state.previous.safetensors`` and used where the newest is damaged.
    """

    def __init__(self, folder: Path, recipe: RecipeSpec, resume: bool, processes: Processes | None = None) -> None:
        self.folder, self.recipe, self.processes = folder, recipe, processes or Processes()
        self.state, self.log = folder / "state.safetensors", folder / "log.jsonl"
        self.previous = folder / "state.previous.safetensors"
        self._began = time.monotonic()
        stored = self.processes.share(lambda: self._read(resume))
        position, self._tensors = parse(stored) if stored else (Position(), {})
        self.phase, self.step, self.logged, self._before = position[:4]
        if not self.processes.first:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._forget_later_lines()
        with atomic_output(folder / "recipe.json") as temporary:
            temporary.write_text(recipe.model_dump_json(indent=2), "utf-8")

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, interrupted parts up to their last save included."""
        return self._before + time.monotonic() - self._began

    def _read(self, resume: bool) -> bytes:
        """The newest state that is whole; nothing of a new run."""
        found = [path for path in (self.state, self.previous) if path.exists()]
        if found and not resume:
            raise TrainingError("run", "a new folder", f"{self.folder}, which holds a run", "continue it with --resume")
        faults: list[Exception] = []
        for path in found:
            try:
                stored = path.read_bytes()
                position, _ = parse(stored)
            except (OSError, ValueError) as error:
                faults.append(error)
                continue
            if not _continues(position.recipe, self.recipe):
                raise TrainingError("run", "the recipe that the run began with", "another", "use a new folder")
            if faults:
                LOGGER.warning("%s is damaged; going on from step %d of %s", self.state, position.step, path.name)
            return stored
        if faults:
            raise self._damaged(faults[0])
        return b""

    def save(self, phase: Phase, step: int) -> None:
        """Keep all that step ``step`` (not yet taken) depends on, and what was kept before as the previous state."""
        if not self.processes.first:
            return
        tensors: dict[str, Tensor] = {}
        for name, module in phase.modules.items():
            tensors |= {f"module/{name}/{key}": _copied(value) for key, value in module.state_dict().items()}
        for name, stepper in phase.optimizers.items():
            tensors |= {f"optimizer/{name}/{key}": _copied(value) for key, value in stepper.tensors().items()}
        position = Position(phase.name, step, self.logged, round(self.seconds), _comparable(self.recipe))
        with atomic_output(self.state) as temporary:
            # Not by save_file, whose errors on a full disk are not those of the system.
            temporary.write_bytes(packed(position, tensors))
            if self.state.exists():
                self.state.replace(self.previous)

    def restore(self, phase: Phase) -> None:
        """Put a phase back to where it was saved.

        Raises:
            TrainingError: the state is that of other networks.
        """
        tensors, self._tensors = self._tensors, {}
        try:
            for name, module in phase.modules.items():
                module.load_state_dict(_below(tensors, f"module/{name}/"))
            for name, stepper in phase.optimizers.items():
                stepper.restore(_below(tensors, f"optimizer/{name}/"))
        except (RuntimeError, LookupError, ValueError, TypeError) as error:
            raise self._damaged(error) from None

    def record(self, phase: str, step: int, values: Mapping[str, float | str]) -> None:
        """Append one line of figures, or of words."""
        line = {"phase": phase, "step": step} | {
            name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()
        }
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self.logged += 1

    def _forget_later_lines(self) -> None:
        """Drop the figures of steps that were taken after the last save and will be taken again, and damaged lines."""
        lines = self.log.read_bytes().splitlines(keepends=True) if self.logged and self.log.exists() else []
        kept = [line for line in lines[: self.logged] if _is_record(line)]
        self.logged = len(kept)
        with atomic_output(self.log) as temporary:
            temporary.write_bytes(b"".join(kept))

    def _damaged(self, error: Exception) -> TrainingError:
        got = f"{self.state} ({type(error).__name__})"
        return TrainingError("run", "a whole state.safetensors", got, "begin anew in another folder")


def _is_record(line: bytes) -> bool:
    try:
        return bool({"phase", "step"} <= json.loads(line).keys())
    except (ValueError, AttributeError, RecursionError):
        return False


def _continues(stored: object, recipe: RecipeSpec) -> bool:
    """Whether a run that began with a stored recipe, perhaps before later fields existed, may go on with another."""
    try:
        return _comparable(RecipeSpec.model_validate(stored)) == _comparable(recipe)
    except HeadmotionError:
        return False


def _comparable(recipe: RecipeSpec) -> dict[str, Any]:
    """What must not change within a run; how long it runs, how often it saves, where it computes and draws may."""
    data: dict[str, Any] = recipe.model_dump(mode="json")
    for name in ("save_every", "preview_every", "grad_accumulation"):
        data.pop(name)
    data["data"].pop("workers")
    data["pipeline"].pop("renderer")
    data["syncers"].pop("steps")
    data["generator"].pop("steps")
    return data


def _copied(tensor: Tensor) -> Tensor:
    """A copy in the plain order of memory, which alone can be stored."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)


def _below(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
