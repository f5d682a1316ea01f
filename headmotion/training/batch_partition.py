"""How the batch of a step is divided: over processes, and within each into parts that are computed one by one.

Whatever the division, a step gives the same parameters but for rounding: losses are means over parts of one size,
gradients are averaged, batch norm sees the whole batch, and all chance belongs to a sample's number in the batch.
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
class Division:
    """The processes, the parts of each, and the numbers that they compute with."""

    processes: Processes = field(default_factory=Processes)
    grad_accumulation: int = 1
    """Parts per process."""
    precision: str = "32"

    @property
    def parts(self) -> int:
        """Of the whole batch."""
        return self.processes.count * self.grad_accumulation

    @property
    def dtype(self) -> torch.dtype:
        """Of parameters and batches."""
        return torch.float64 if self.precision == "64" else torch.float32

    def check(self, phase: str, batch_size: int, unit: int, what: str) -> None:
        """Refuse a batch whose parts would cut what must stay together.

        Args:
            unit: samples that stay together.
            what: what they are.

        Raises:
            SpecError: the batch is no multiple of parts times unit.
        """
        if self.parts > 1 and batch_size % (self.parts * unit):
            wanted = f"a batch size that is a multiple of {self.parts * unit} ({self.parts} parts, {what})"
            raise SpecError(
                f"{phase} phase", wanted, str(batch_size), "change batch_size, grad_accumulation or the processes"
            )

    def share(self, batch_size: int) -> range:
        """The samples of this process."""
        size = batch_size // self.processes.count
        return range(self.processes.rank * size, (self.processes.rank + 1) * size)

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """Where trained networks run in the precision asked for."""
        return torch.autocast(device.type, torch.bfloat16) if self.precision == "bf16" else nullcontext()


def from_one_start(items: Sequence[T], modules: Sequence[nn.Module]) -> Iterator[T]:
    """Items one by one, at each of which buffers and random numbers are what they were at the first.

    So that a part is treated as the whole would be: a spectral norm, say, takes its iterations once per step.
    """
    if len(items) == 1:
        yield items[0]
        return
    buffers = [buffer for module in modules for buffer in module.buffers()]
    kept, chance = [buffer.clone() for buffer in buffers], torch.get_rng_state()
    for number, item in enumerate(items):
        if number:
            torch.set_rng_state(chance)
            for buffer, before in zip(buffers, kept, strict=True):
                buffer.data.copy_(before)
        yield item
