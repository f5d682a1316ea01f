"""A run's folder: the training state, which survives a kill at any moment, and the log of figures."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ..core.errors import TrainingError
from ..core.files import atomic_output
from .phases import Phase
from .recipe import RecipeSpec


class Run:
    """``state.safetensors`` (modules, optimizers, position), ``log.jsonl`` and ``recipe.json`` in one folder."""

    def __init__(self, folder: Path, recipe: RecipeSpec, resume: bool) -> None:
        self.folder, self.recipe = folder, recipe
        self.state, self.log = folder / "state.safetensors", folder / "log.jsonl"
        self._began = time.monotonic()
        if self.state.exists() and not resume:
            raise TrainingError("run", "a new folder", f"{folder}, which holds a run", "continue it with --resume")
        self.phase, self.step, self.logged, self._before = self._position()
        folder.mkdir(parents=True, exist_ok=True)
        self._forget_later_lines()
        with atomic_output(folder / "recipe.json") as temporary:
            temporary.write_text(recipe.model_dump_json(indent=2), "utf-8")

    @property
    def seconds(self) -> float:
        """Time spent on the run so far, interrupted parts up to their last save included."""
        return self._before + time.monotonic() - self._began

    def _position(self) -> tuple[str, int, int, float]:
        """Phase and step to continue at, lines logged and seconds spent by then; the phase of a new run is empty."""
        if not self.state.exists():
            return "", 0, 0, 0.0
        try:
            with safe_open(self.state, "numpy") as stored:
                meta = json.loads(stored.metadata()["headmotion"])
            recipe = meta["recipe"]
            position = str(meta["phase"]), int(meta["step"]), int(meta["logged"]), float(meta["seconds"])
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise self._damaged(error) from None
        if recipe != _comparable(self.recipe):
            raise TrainingError("run", "the recipe that the run began with", "another", "use a new folder")
        return position

    def save(self, phase: Phase, step: int) -> None:
        """Keep all that step ``step`` (not yet taken) depends on."""
        tensors: dict[str, Tensor] = {}
        for name, module in phase.modules.items():
            tensors |= {f"module/{name}/{key}": value.detach().clone() for key, value in module.state_dict().items()}
        for name, stepper in phase.optimizers.items():
            tensors |= {f"optimizer/{name}/{key}": value.clone() for key, value in stepper.tensors().items()}
        meta = {
            "phase": phase.name,
            "step": step,
            "logged": self.logged,
            "seconds": round(self.seconds),
            "recipe": _comparable(self.recipe),
        }
        with atomic_output(self.state) as temporary:
            # Not by save_file, whose errors on a full disk are not those of the system.
            temporary.write_bytes(save(tensors, {"headmotion": json.dumps(meta, sort_keys=True)}))

    def restore(self, phase: Phase) -> None:
        """Put a phase back to where it was saved.

        Raises:
            TrainingError: the state is damaged, or that of other networks.
        """
        try:
            tensors = load_file(self.state)
            for name, module in phase.modules.items():
                module.load_state_dict(_below(tensors, f"module/{name}/"))
            for name, stepper in phase.optimizers.items():
                stepper.restore(_below(tensors, f"optimizer/{name}/"))
        except (SafetensorError, OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
            raise self._damaged(error) from None

    def record(self, phase: str, step: int, values: Mapping[str, float]) -> None:
        """Append one line of figures."""
        line = {"phase": phase, "step": step} | {name: round(value, 6) for name, value in values.items()}
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self.logged += 1

    def _forget_later_lines(self) -> None:
        """Drop the figures of steps that were taken after the last save and will be taken again."""
        lines = self.log.read_bytes().splitlines(keepends=True) if self.logged and self.log.exists() else []
        with atomic_output(self.log) as temporary:
            temporary.write_bytes(b"".join(lines[: self.logged]))

    def _damaged(self, error: Exception) -> TrainingError:
        got = f"{self.state} ({type(error).__name__})"
        return TrainingError("run", "a whole state.safetensors", got, "begin anew in another folder")


def _comparable(recipe: RecipeSpec) -> Any:
    """What must not change within a run; how long it runs and how often it saves may."""
    data = recipe.model_dump(mode="json")
    data.pop("save_every")
    data["syncers"].pop("steps")
    data["generator"].pop("steps")
    return data


def _below(tensors: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
