"""Downmix channels to mono: speech is never lost, and the result does not depend on the chunks."""

from __future__ import annotations

import logging
from functools import reduce
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .channel_layout import USUAL_LAYOUTS, ChannelLayout
from .running_sums import BLOCK, RunningSums
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
LEAST = 1e-200
"""What is divided by instead of 0."""
LOUDEST = 2.0
"""Samples beyond this are on another scale. Decoded files may exceed 1 a little where the original was clipped."""

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
        self._sums, self._channels = RunningSums(rate), 0
        self._last: NDArray[np.float64] | None = None

    def push(self, samples: ArrayLike | Tensor) -> Wave:
        """Convert the next samples ``[s]`` or ``[s, C]``.

        Raises:
            AudioError: another shape or type, or a sample that is not finite or far beyond full scale.
        """
        array = as_floats(samples, self.name)
        if not len(array):
            return np.zeros(0, np.float32)
        channels = 1 if array.ndim == 1 else array.shape[1]
        if channels != self._channels:
            self._channels, self._last = channels, None
            self._sums.keep_only("offset")
        if max(float(array.max()), -float(array.min())) > LOUDEST:
            self._warn(f"samples beyond {LOUDEST:g}, but full scale is -1..1: divide by the full scale they have")
        # In blocks, because the sums need many times the memory of the samples.
        starts = [0, *range(self._sums.left_of_block, len(array), BLOCK)]
        blocks = [self._convert(array[start:end]) for start, end in pairwise([*starts, len(array)])]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def get_state(self) -> Any:
        """Return what `set_state` of a new mixer needs to continue to the same bits."""
        return {"channels": self._channels, "last": self._last, "sums": self._sums.get_state()}

    def set_state(self, state: Any) -> None:
        """Continue where `get_state` was called."""
        self._channels, self._last = state["channels"], state["last"]
        self._sums.set_state(state["sums"])

    def _convert(self, array: NDArray[np.float32]) -> Wave:
        mono = array.ndim == 1 or array.shape[1] == 1
        wave = np.ascontiguousarray(array.reshape(-1)) if mono else self._mix(array.T.astype(np.float64, order="C"))
        wave = self._without_offset(wave)
        self._sums.advance(len(wave))
        return wave

    def _mix(self, x: NDArray[np.float64]) -> Wave:
        channels = len(x)
        energy = self._sums.add("energy", x * x, LEVEL_SECONDS)
        layout = self.layout or USUAL_LAYOUTS.get(channels, ChannelLayout())
        others = [layout.center] if self.layout is None else [layout.center, layout.bass]
        members = [c for c in range(channels) if c not in others] or list(range(channels))
        if self.layout is None and layout.center is not None:
            x, energy = self._as_expected(x, energy, layout)
        aligned, inverted = x[members], self._inverted(x, energy)[members]
        if inverted.any():
            aligned = np.where(inverted, -aligned, aligned)
        # Not by a NumPy reduction, whose order of additions depends on the number of samples.
        mixed = reduce(np.add, aligned)
        level = self._sums.add("mix", (mixed * mixed)[None], LEVEL_SECONDS)[0]
        loudest = energy[members].max(axis=0)
        wave = mixed * np.minimum(np.sqrt(loudest / np.maximum(level, LEAST)), len(members))
        share = np.ones(1)
        if layout.center is not None and layout.center < channels:
            share = _share_of_others(energy[layout.center], loudest)
            center = np.where(share < 1, x[layout.center], 0.0)
            wave = center + np.where(share > 0, share * wave, 0.0)
        if share[-1] > 0 and inverted[:, -1].any():
            self._warn("channels cancel each other: those in antiphase are inverted before they are added")
        return np.asarray(wave, np.float32)

    def _as_expected(
        self, x: NDArray[np.float64], energy: NDArray[np.float64], layout: ChannelLayout
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return samples and energies without low frequencies in the channels expected to be center and bass.

        So a bass channel in place of the center does not replace the others, and speech in place of the bass is kept.
        """
        expected = [channel for channel in (layout.center, layout.bass) if channel is not None]
        part = x[expected]
        before, self._last = part[:, :1] if self._last is None else self._last, part[:, -1:].copy()
        slope = self._sums.add("slope", np.diff(part, prepend=before) ** 2, LEVEL_SECONDS)
        # Without the mean, because an offset (DC) is no frequency.
        total = self._sums.add("total", part, LEVEL_SECONDS)
        power = energy[expected] - total**2 / self._sums.count(part.shape[1], LEVEL_SECONDS)
        squared = np.divide(slope, power, out=np.zeros_like(power), where=power > 0) * (self.rate / (2 * np.pi)) ** 2
        voiced = np.clip((squared - BASS_HZ**2) / (VOICED_HZ**2 - BASS_HZ**2), 0, 1)
        x, energy = x.copy(), energy.copy()
        energy[expected] *= voiced
        if layout.bass is not None:
            x[layout.bass] *= voiced[-1]
        return x, energy

    def _inverted(self, x: NDArray[np.float64], energy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether a channel is in antiphase to the first one, ``[C, s]``, as far as they follow the loudest."""
        channels, inverted = len(x), np.zeros(x.shape, np.bool_)
        if channels > MAX_ALIGNED:
            return inverted
        products = _products_of_pairs(x)
        past = self._sums.add("products", products, LEVEL_SECONDS)
        # Without it, channels would cancel for seconds after a change of phase, until the long correlation follows.
        recent_energy = self._sums.add("recent energy", x * x, PHASE_CHANGE_SECONDS)
        recent = self._sums.add("recent products", products, PHASE_CHANGE_SECONDS)
        # Correlations are compared by their squares, which keep the sign, times both energies: roots would be slow.
        now, changed = _signed_square(recent), _products_of_pairs(PHASE_CHANGED * recent_energy)
        antiphase = _signed_square(past) < -_products_of_pairs(ANTIPHASE * energy)
        antiphase = antiphase & (now <= changed) | (now < -changed)
        if not antiphase.any():
            return inverted
        together = np.zeros((channels, *x.shape), np.bool_)
        for (a, b), each in zip(combinations(range(channels), 2), antiphase, strict=True):
            together[a, b] = together[b, a] = each
        loudest = np.full(x.shape[1], -1.0)
        for candidate, its_energy in zip(together, energy, strict=True):
            # The first channel keeps its phase whichever is the loudest, or the wave would flip where that changes.
            inverted = np.where(its_energy > loudest, candidate ^ candidate[0], inverted)
            loudest = np.maximum(its_energy, loudest)
        return inverted

    def _without_offset(self, wave: Wave) -> Wave:
        total = self._sums.add("offset", wave.astype(np.float64)[None], OFFSET_SECONDS)[0]
        mean = total / np.maximum(self._sums.count(len(wave), OFFSET_SECONDS), OFFSET_START_SECONDS * self.rate)
        size = np.abs(mean)
        if size.max() <= OFFSET_FROM:
            return wave
        share = np.clip((size - OFFSET_FROM) / (OFFSET_FULL - OFFSET_FROM), 0, 1)
        return np.asarray(wave - mean * share, np.float32)

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            _log.warning("%s: %s", self.name, text)


def _share_of_others(energy: NDArray[np.float64], loudest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of the other channels is added to a center, 0..1: all if it is too quiet for speech."""
    relative = np.divide(energy, loudest, out=np.full(len(energy), np.inf), where=loudest > 0)
    return np.asarray(np.log(np.clip(relative, SILENT, QUIET) / QUIET) / np.log(SILENT / QUIET))


def _products_of_pairs(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the products of all pairs of rows, ``[C * (C - 1) / 2, s]``."""
    pairs = list(combinations(x, 2))
    products = np.empty((len(pairs), x.shape[1]))
    for product, (a, b) in zip(products, pairs, strict=True):
        np.multiply(a, b, out=product)
    return products


def _signed_square(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x * np.abs(x)
