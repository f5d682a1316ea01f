"""Downmix channels to mono: speech is never lost, and the result does not depend on the chunks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .channel_layout import USUAL_LAYOUTS, ChannelLayout
from .samples import Wave, as_floats

LEVEL_SECONDS = 10.0
"""Time constant of the running levels and correlations of channels."""
ANTIPHASE = -0.5
"""Correlation with the loudest channel below which a channel is inverted; that of independent voices is near 0."""
PHASE_CHANGE_SECONDS, PHASE_CHANGED = 0.25, 0.9
"""Time constant of the fast correlation, which detects changes of phase, and its size from which it decides."""
QUIET, SILENT = 1e-3, 1e-4
"""Energies of a center relative to the loudest channel (-30 and -40 dB): below the first, others are added to it; below
the second it is empty."""
MAX_ALIGNED = 8
"""Channels up to which phases are aligned; more are the microphones of an array."""
BASS_HZ, VOICED_HZ = 140.0, 170.0
"""Mean frequency up to which a channel has low frequencies only, and from which it may hold speech."""
OFFSET_SECONDS, OFFSET_START_SECONDS = 3.0, 0.15
"""Time constant of the mean that is the offset (DC), and the least duration that it is divided by."""
OFFSET_FROM, OFFSET_FULL = 0.015, 0.025
"""An offset below the first is left alone, and one above the second is removed; speech itself stays below."""
LOUDEST = 2.0
"""Samples beyond this are on another scale. Decoded files may exceed 1 a little where the original was clipped."""

BLOCK = 1 << 14
"""Samples that are mixed at a time. Blocks begin at multiples of it, counted from the first sample."""

_log = logging.getLogger("headmotion")


class Downmixer:
    """Conversion of a stream of samples of any channels to a mono wave in -1..1.

    Channels are added and brought to the level of the loudest one, so that two equal channels are their average, and a
    channel among silent ones keeps its level. A channel in antiphase to the loudest is inverted, rather than
    cancelled, also if its phase changes within the recording. In layouts with a center only the center is taken, unless
    it is empty; if it is much quieter than the others, they are added to it. The low-frequency channel is left out.
    Without a stated layout, the usual one for that number of channels is assumed; a center with only low frequencies
    then does not count as a center, and a channel with more than low frequencies is not left out. Levels and
    correlations are those of the past ten seconds, up to and including each sample: nothing is delayed.

    An offset (DC) of the wave is removed if it is larger than any that speech itself has; other waves stay unchanged,
    bit for bit.

    Args:
        rate: samples per second (Hz).
        name: what messages call the audio.
        layout: of the channels; None: the usual one of their number.
        warned: messages that have been logged; new ones are added.
    """

    def __init__(
        self, rate: int, name: str = "audio", layout: ChannelLayout | None = None, warned: set[str] | None = None
    ) -> None:
        self.rate, self.name, self.layout = rate, name, layout
        self._warned = set() if warned is None else warned
        self._states: dict[str, NDArray[np.float64]] = {}
        self._channels = self._received = 0

    def push(self, samples: ArrayLike | Tensor) -> Wave:
        """Convert the next samples ``[s]`` or ``[s, C]``.

        Raises:
            AudioError: another shape or type, or a sample that is not finite or far beyond full scale.
        """
        array = as_floats(samples, self.name)
        channels = 1 if array.ndim == 1 else array.shape[1]
        if channels != self._channels and len(array):
            self._channels, self._states = channels, {k: v for k, v in self._states.items() if k == "sum"}
        if not len(array):
            return np.zeros(0, np.float32)
        if max(float(array.max()), -float(array.min())) > LOUDEST:
            self._warn(f"samples beyond {LOUDEST:g}, but full scale is -1..1: divide by the full scale they have")
        # In blocks, because the sums need many times the memory of the samples.
        first = BLOCK - self._received % BLOCK
        starts = [0, *range(first, len(array), BLOCK)]
        blocks = [self._convert(array[start:end]) for start, end in pairwise([*starts, len(array)])]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def get_state(self) -> Any:
        """Return what `set_state` of a new mixer needs to continue to the same bits."""
        return {"channels": self._channels, "received": self._received, "states": dict(self._states)}

    def set_state(self, state: Any) -> None:
        """Continue where `get_state` was called."""
        self._channels, self._received = state["channels"], state["received"]
        self._states = {name: np.asarray(v) for name, v in state["states"].items()}

    def _convert(self, array: NDArray[np.float32]) -> Wave:
        mono = array.ndim == 1 or array.shape[1] == 1
        wave = np.ascontiguousarray(array.reshape(-1)) if mono else self._mix(array.astype(np.float64))
        wave = self._without_offset(wave)
        self._received += len(wave)
        return wave

    def _mix(self, x: NDArray[np.float64]) -> Wave:
        channels = x.shape[1]
        energy = self._leaky("energy", x * x, LEVEL_SECONDS)
        layout = self.layout or USUAL_LAYOUTS.get(channels, ChannelLayout())
        others = [layout.center] if self.layout is None else [layout.center, layout.bass]
        members = [c for c in range(channels) if c not in others] or list(range(channels))
        if self.layout is None and layout.center is not None:
            x, energy = self._as_expected(x, energy, layout)
        signs = self._signs(x, energy) if channels <= MAX_ALIGNED else np.ones_like(x)
        # Channel by channel, because the order of additions in a NumPy reduction depends on the block's shape.
        mixed = sum(signs[:, c] * x[:, c] for c in members[1:]) + signs[:, members[0]] * x[:, members[0]]
        level = self._leaky("mix", (mixed * mixed)[:, None], LEVEL_SECONDS)[:, 0]
        loudest = energy[:, members].max(axis=1)
        audible = level > 0
        gain = np.sqrt(np.divide(loudest, level, out=np.full(len(x), 1 / len(members) ** 2), where=audible))
        wave = mixed * np.minimum(gain, len(members))
        share = np.ones(1)
        if layout.center is not None and layout.center < channels:
            share = _share_of_others(energy[:, layout.center], loudest)
            center = np.where(share < 1, x[:, layout.center], 0.0)
            wave = center + np.where(share > 0, share * wave, 0.0)
        if share[-1] > 0 and (signs[-1, members] < 0).any():
            self._warn("channels cancel each other: those in antiphase are inverted before they are added")
        return np.asarray(wave, np.float32)

    def _as_expected(
        self, x: NDArray[np.float64], energy: NDArray[np.float64], layout: ChannelLayout
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return samples and energies without low frequencies in the channels expected to be center and bass.

        So a bass channel in place of the center does not replace the others, and speech in place of the bass is kept.
        """
        before = self._states.get("last", x[0])
        self._states["last"] = x[-1].copy()
        slope = self._leaky("slope", np.diff(x, axis=0, prepend=before[None]) ** 2, LEVEL_SECONDS)
        # Without the mean, because an offset (DC) is no frequency.
        total = self._leaky("total", x, LEVEL_SECONDS)
        power = energy - total**2 / self._count(len(x), LEVEL_SECONDS)[:, None]
        squared = np.divide(slope, power, out=np.zeros_like(power), where=power > 0) * (self.rate / (2 * np.pi)) ** 2
        voiced = np.clip((squared - BASS_HZ**2) / (VOICED_HZ**2 - BASS_HZ**2), 0, 1)
        x, energy = x.copy(), energy.copy()
        for channel in (layout.center, layout.bass):
            if channel is not None:
                energy[:, channel] *= voiced[:, channel]
        if layout.bass is not None:
            x[:, layout.bass] *= voiced[:, layout.bass]
        return x, energy

    def _signs(self, x: NDArray[np.float64], energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1, or -1 where a channel is in antiphase to the loudest, ``[s, C]``."""
        count, channels = x.shape
        pairs = [(a, b) for a in range(channels) for b in range(a)]
        raw = np.stack([x[:, a] * x[:, b] for a, b in pairs], axis=1)
        products = self._leaky("products", raw, LEVEL_SECONDS)
        loudest = energy.argmax(axis=1)
        # Without it, channels would cancel for seconds after a change of phase, until the long correlation follows.
        recent = self._leaky("recent energy", x * x, PHASE_CHANGE_SECONDS)
        recent_products = self._leaky("recent products", raw, PHASE_CHANGE_SECONDS)
        now = _correlations(pairs, recent_products, recent, loudest)
        inverted = (_correlations(pairs, products, energy, loudest) < ANTIPHASE) & (now < PHASE_CHANGED) | (
            now < -PHASE_CHANGED
        )
        inverted[np.arange(count), loudest] = False
        signs = np.where(inverted, -1.0, 1.0)
        # The first channel keeps its phase whichever is the loudest, or the wave would flip where that changes.
        return signs * signs[:, :1]

    def _without_offset(self, wave: Wave) -> Wave:
        total = self._leaky("sum", wave.astype(np.float64)[:, None], OFFSET_SECONDS)[:, 0]
        mean = total / np.maximum(self._count(len(wave), OFFSET_SECONDS), OFFSET_START_SECONDS * self.rate)
        size = np.abs(mean)
        if size.max() <= OFFSET_FROM:
            return wave
        share = np.clip((size - OFFSET_FROM) / (OFFSET_FULL - OFFSET_FROM), 0, 1)
        return (wave - mean * share).astype(np.float32)

    def _leaky(self, name: str, values: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """Return sums ``[s, n]`` of the values up to each sample, in which older ones count exponentially less."""
        age = self._received % BLOCK
        end = age + len(values)
        powers = _powers(seconds * self.rate)[:, None]
        # NumPy adds in order, so the sums do not depend on the chunks. They count from the start of the block, or they
        # would grow without bounds.
        scaled = values / powers[age:end]
        scaled[0] += self._states.get(name, 0.0)
        sums = np.cumsum(scaled, axis=0)
        state = sums[-1] * powers[BLOCK] if end == BLOCK else sums[-1]
        # What is left after minutes of silence would be denormal, and slow.
        self._states[name] = np.where(np.abs(state) < 1e-200, 0.0, state)
        return np.asarray(sums * powers[age:end])

    def _count(self, samples: int, seconds: float) -> NDArray[np.float64]:
        """Return the sums ``[samples]`` that `_leaky` would return for ones since the first sample."""
        block, age = divmod(self._received, BLOCK)
        powers = _powers(seconds * self.rate)
        return np.asarray((1 - powers[BLOCK] ** block * powers[age + 1 : age + 1 + samples]) / (1 - powers[1]))

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            _log.warning("%s: %s", self.name, text)


def _share_of_others(energy: NDArray[np.float64], loudest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of the other channels is added to a center, 0..1: all if it is too quiet for speech."""
    relative = np.divide(energy, loudest, out=np.full(len(energy), np.inf), where=loudest > 0)
    return np.asarray(np.log(np.clip(relative, SILENT, QUIET) / QUIET) / np.log(SILENT / QUIET))


def _correlations(
    pairs: Sequence[tuple[int, int]],
    products: NDArray[np.float64],
    energy: NDArray[np.float64],
    loudest: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the correlation of each channel with the loudest one, ``[s, C]``; 0 for one that is silent.

    Args:
        pairs: of channels.
        products: sums of products of each pair, ``[s, len(pairs)]``.
        energy: sums of squares, ``[s, C]``.
        loudest: the loudest channel, ``[s]``.
    """
    count, channels = energy.shape
    together = np.zeros((count, channels, channels))
    for k, (a, b) in enumerate(pairs):
        together[:, a, b] = together[:, b, a] = products[:, k]
    samples = np.arange(count)
    size = np.sqrt(energy * energy[samples, loudest][:, None])
    return np.divide(together[samples, :, loudest], size, out=np.zeros_like(energy), where=size > 0)


@cache
def _powers(samples: float) -> NDArray[np.float64]:
    """Return the weights ``[BLOCK + 1]`` of a value after 0, 1, ... samples, for a time constant in samples."""
    return np.asarray(np.exp(-np.arange(BLOCK + 1) / samples))
