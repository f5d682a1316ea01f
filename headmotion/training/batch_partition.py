"""How the batch of a step is partitioned: over processes, and within each into parts that are computed one by one.

Whatever the partition, a step gives the same parameters but for rounding. Losses are means over parts of one size,
gradients are averaged, and batch norm uses the statistics of the whole batch. Randomness is seeded by sample index, so
results do not depend on how the batch is divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import nn

from ..core.errors import SpecError
from .distributed import Processes

T = TypeVar("T")


@dataclass(frozen=True)
class BatchPartition:
    """The processes that share a batch, the parts of each, and the precision that they compute in."""

    processes: Processes = field(default_factory=Processes)
    """The processes that share a batch."""
    grad_accumulation: int = 1
    """Parts per process."""
    precision: str = "32"
    """``32``, ``bf16`` (autocast) or ``64``."""

    @property
    def parts(self) -> int:
        """Number of parts of the whole batch, over all processes."""
        return self.processes.count * self.grad_accumulation

    @property
    def dtype(self) -> torch.dtype:
        """Type of parameters and batches."""
        return torch.float64 if self.precision == "64" else torch.float32

    def check_divisible(self, phase: str, batch_size: int, unit: int, unit_name: str) -> None:
        """Refuse a batch whose parts would separate samples that belong together.

        Args:
            phase: name of the phase, for the error.
            batch_size: samples of all processes.
            unit: samples that must stay together.
            unit_name: what such a unit is, for the error.

        Raises:
            SpecError: the batch is no multiple of parts times unit.
        """
        if self.parts > 1 and batch_size % (self.parts * unit):
            expected = f"a batch size that is a multiple of {self.parts * unit} ({self.parts} parts, {unit_name})"
            raise SpecError(
                f"{phase} phase", expected, str(batch_size), "change batch_size, grad_accumulation or the processes"
            )

    def own_samples(self, batch_size: int) -> range:
        """Return the indices of this process's samples in the batch."""
        size = batch_size // self.processes.count
        return range(self.processes.rank * size, (self.processes.rank + 1) * size)

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """Return the context in which trained networks run."""
        return torch.autocast(device.type, torch.bfloat16) if self.precision == "bf16" else nullcontext()


def replay_state_per_part(parts: Sequence[T], modules: Sequence[nn.Module]) -> Iterator[T]:
    """Yield parts one by one, each with the buffers and the random state that the first one had.

    All parts are then treated as one batch would be. A spectral norm, for example, takes its power iterations once per
    step, and a discriminator draws the same frames in every part.

    Args:
        parts: the parts of a batch.
        modules: modules whose buffers are restored before each part but the first.
    """
    if len(parts) == 1:
        yield parts[0]
        return
    buffers = [buffer for module in modules for buffer in module.buffers()]
    saved, random_state = [buffer.clone() for buffer in buffers], torch.get_rng_state()
    for number, part in enumerate(parts):
        if number:
            torch.set_rng_state(random_state)
            for buffer, before in zip(buffers, saved, strict=True):
                buffer.data.copy_(before)
        yield part
