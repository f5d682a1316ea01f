"""TensorBoard: values, learning rates, warnings and previews of a run, one TensorBoard run per phase."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..core.errors import HeadmotionError
from ..core.files import naming_file
from ..core.interfaces.phase import Phase
from ..core.lazy import import_optional
from .events import Ended, Event, Previewed, Stepped, Warned

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LOGGER = logging.getLogger("headmotion.training")
SPEECH_RATE = 16_000


class TensorBoard:
    """Writes event files that ``tensorboard --logdir`` shows.

    A phase that goes on where it was stopped first purges what was written of the steps that it repeats.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[str, SummaryWriter] = {}

    def __call__(self, event: Event) -> None:
        """Write an event, if it has anything to show."""
        with naming_file(self.folder):  # TensorBoard's own errors, such as that of a full disk, name no file
            self._write(event)

    def _write(self, event: Event) -> None:
        match event:
            case Stepped(phase, number, values):
                writer = self._writer(phase, number)
                for name, value in values.items():
                    writer.add_scalar(f"{phase.name}/{name}", value, number)
                for name, stepper in phase.optimizers.items():
                    writer.add_scalar(f"learning_rate/{name}", stepper.optimizer.param_groups[0]["lr"], number)
            case Warned(phase, number, text):
                self._writer(phase, number).add_text("warnings", text, number)
            case Previewed(phase, number, preview):
                writer = self._writer(phase, number)
                writer.add_image("sample/recording_above_model", preview.sheet, number, dataformats="HWC")
                speech = torch.from_numpy(preview.audio.read(SPEECH_RATE)).unsqueeze(0)
                writer.add_audio("sample/speech", speech, number, SPEECH_RATE)
                writer.flush()
            case Ended():
                for writer in self._writers.values():
                    writer.close()

    def _writer(self, phase: Phase, number: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        if phase.name not in self._writers:
            # One folder per phase, because a purge drops every value of its folder from a step on.
            folder = self.folder / phase.name
            self._writers[phase.name] = SummaryWriter(folder, purge_step=number)
        return self._writers[phase.name]


def open_tensorboard(folder: Path) -> list[TensorBoard]:
    """Return a TensorBoard that writes into a folder, or nothing, with a warning, where it is not installed."""
    try:
        import_optional("torch.utils.tensorboard", "headmotion[train]", "TensorBoard")
    except HeadmotionError as error:
        LOGGER.warning("values go to log.jsonl only; %s", error.remedy)
        return []
    return [TensorBoard(folder)]
