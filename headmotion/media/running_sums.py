"""RunningSums: sums over the recent past of a stream, which do not depend on the chunks."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

BLOCK = 1 << 14
"""Samples after which sums are scaled anew. Blocks begin at multiples of it, counted from the first sample."""


class RunningSums:
    """Sums of values up to each sample of a stream, in which older values count exponentially less.

    The same sums result bit for bit however the stream is cut into chunks. A chunk ends with its block at the latest.

    Args:
        rate: samples per second (Hz).
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._received = rate, 0
        self._last: dict[str, NDArray[np.float64]] = {}

    @property
    def left_of_block(self) -> int:
        """Samples up to the end of the block."""
        return BLOCK - self._received % BLOCK

    def add(self, name: str, values: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """Return the sums ``[n, s]`` up to each of the next samples.

        Args:
            name: which sums are continued.
            values: the next values ``[n, s]``.
            seconds: time constant.
        """
        age = self._received % BLOCK
        end = age + values.shape[1]
        powers = _powers(seconds * self._rate)
        # Values are added in order, so the sums do not depend on the chunks. They count from the start of the block, or
        # they would grow without bounds.
        sums = values / powers[age:end]
        sums[:, 0] += self._last.get(name, 0.0)
        # NumPy's takes four times as long.
        torch.from_numpy(sums).cumsum_(dim=1)
        last = sums[:, -1].copy()
        if end == BLOCK:
            last *= powers[BLOCK]
            # What is left after minutes of silence would be denormal, and slow.
            last[np.abs(last) < 1e-200] = 0
        self._last[name] = last
        sums *= powers[age:end]
        return sums

    def count(self, samples: int, seconds: float) -> NDArray[np.float64]:
        """Return the sums ``[s]`` that `add` would return for ones since the first sample of the stream."""
        block, age = divmod(self._received, BLOCK)
        powers = _powers(seconds * self._rate)
        return np.asarray((1 - powers[BLOCK] ** block * powers[age + 1 : age + 1 + samples]) / (1 - powers[1]))

    def advance(self, samples: int) -> None:
        """Go on to the next chunk, when all sums of this one of ``samples`` have been taken."""
        self._received += samples

    def keep_only(self, name: str) -> None:
        """Begin all sums anew but those of a name."""
        self._last = {key: last for key, last in self._last.items() if key == name}

    def get_state(self) -> Any:
        """Return what `set_state` of new sums needs to continue to the same bits."""
        return {"received": self._received, "last": dict(self._last)}

    def set_state(self, state: Any) -> None:
        """Continue where `get_state` was called."""
        self._received, self._last = state["received"], {k: np.asarray(v) for k, v in state["last"].items()}


@cache
def _powers(samples: float) -> NDArray[np.float64]:
    """Return the weights ``[BLOCK + 1]`` of a value after 0, 1, ... samples, for a time constant in samples."""
    return np.asarray(np.exp(-np.arange(BLOCK + 1) / samples))
