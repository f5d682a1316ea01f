"""Speech told from silence by loudness alone, as it is heard."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from ..geometry.smoothstep import smoothstep
from ..media.audio import Wave
from ..media.loudness import power_db

HOPS_PER_SECOND = 100
AVERAGED = 3
"""Hops over which the level is averaged."""
FIRST_LOUDEST, FIRST_NOISE = -22.0, -35.0
"""Levels (dB of full scale) assumed before anything is heard; the noise at most."""
ENOUGH = 100
"""Hops of speech after which the loudest of them is trusted more than what was assumed."""
FIRST_FALLS, LOUDEST_FALLS = 6.0, 0.2
"""How fast the loudest is forgotten, before and after enough speech (dB per second)."""
NOISE_RISES, NOISE_FALLS = 8.0, 400.0
"""How fast the noise is followed (dB per second): a few blank samples at the start of a file are no quiet room."""
RANGE_IN_SPEECH, RANGE_IN_SILENCE, MOST_RANGE = 10.0, 18.0, 50.0
"""How far the loudest is taken to lie above the noise, at least and at most (dB): a vowel that is held is no noise."""
PART, MARGIN, HYSTERESIS = 0.45, 6.0, 2.0
"""Speech begins at this part of the way from noise to loudest, or this far above the noise; it ends below that (dB)."""
HANGOVER = 20
"""Hops for which speech goes on after the last loud one: the closure of a plosive is no silence."""
LEAD = 15
"""Hops by which the gate begins to open before the voice; lips part about 0.1 s before it."""
OPENS, CLOSES = 1 / 8, 1 / 20
"""Part of the way per hop: 80 ms to open, 200 ms to close."""


class SpeechGate:
    """Speech in pieces of any size in, a smooth gate out: 1 where somebody speaks, 0 in silence.

    The level of each 10 ms is compared with a threshold between the running noise floor and the running loudest level,
    with hysteresis. All of it is causal but for `LEAD`.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._wave, self._hop = sample_rate, np.zeros(0, np.float32), 0
        self._loudest, self._noise = FIRST_LOUDEST, FIRST_NOISE
        self._powers: deque[float] = deque(maxlen=AVERAGED)
        self._left = self._spoken = 0
        self._gate: float | None = None
        self._values: deque[float] = deque()
        self._first = 0

    @property
    def known(self) -> Fraction:
        """Seconds up to which the gate is known; below 0: nothing is."""
        return Fraction(self._first + len(self._values) - 1, HOPS_PER_SECOND)

    def push(self, wave: Wave) -> None:
        """Hear more."""
        self._wave = np.concatenate([self._wave, wave])
        used = 0
        while (end := self._start(self._hop + 1) - self._start(self._hop)) <= len(self._wave) - used:
            # The variance, not the mean square: an offset is no sound.
            self._hear(float(self._wave[used : used + end].astype(np.float64).var()))
            used += end
        self._wave = self._wave[used:]

    def pad(self, until: Fraction) -> None:
        """Silence, until the gate is known at ``until`` seconds."""
        while self.known < until:
            self._hear(0.0)

    def at(self, seconds: Fraction) -> float:
        """The gate at a time that is known and not before that of the last call."""
        exact = seconds * HOPS_PER_SECOND
        hop = int(exact)
        while self._first < hop and len(self._values) > 2:
            self._values.popleft()
            self._first += 1
        low, high = (self._values[min(hop + k - self._first, len(self._values) - 1)] for k in (0, 1))
        gate = low + (high - low) * float(exact - hop)
        return float(smoothstep(gate))

    def _start(self, hop: int) -> int:
        return hop * self._rate // HOPS_PER_SECOND

    def _hear(self, power: float) -> None:
        self._hop += 1
        self._powers.append(power)
        level = float(power_db(sum(self._powers) / len(self._powers), floor_db=-120.0))
        lowest, highest = (self._noise + rate / HOPS_PER_SECOND for rate in (-NOISE_FALLS, NOISE_RISES))
        self._noise = min(max(level, lowest), highest)
        falls = FIRST_FALLS if self._spoken < ENOUGH else LOUDEST_FALLS
        self._loudest = max(level, self._loudest - falls / HOPS_PER_SECOND)
        if self._left:
            self._noise = min(self._noise, self._loudest - RANGE_IN_SPEECH)
        else:
            self._loudest = max(self._loudest, self._noise + RANGE_IN_SILENCE)
        self._noise = max(self._noise, self._loudest - MOST_RANGE)
        threshold = self._noise + max(MARGIN, PART * (self._loudest - self._noise))
        if level > threshold - HYSTERESIS * (self._left > 0):
            self._left, self._spoken = HANGOVER, self._spoken + 1
        target = float(self._left > 0)
        self._left = max(0, self._left - 1)
        if self._hop <= LEAD:
            return
        gate = target if self._gate is None else self._gate
        self._gate = min(target, gate + OPENS) if target > gate else max(target, gate - CLOSES)
        self._values.append(self._gate)
