"""Speech told from silence by loudness alone, as it is heard."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from ..core.audio import Wave

HOPS_PER_SECOND = 100
SILENT_DB = -65.0
"""Below this (dB of full scale) nothing is speech."""
QUIETEST_DB = 28.0
"""Speech is at most this much below its loudest."""
ABOVE_NOISE_DB, HYSTERESIS_DB = 9.0, 4.0
"""Speech begins this much above the noise, and ends this much below where it began."""
FIRST_LOUD_DB, FIRST_NOISE_DB, NOISE_BELOW_DB = -30.0, -60.0, 18.0
"""What is assumed before anything is heard, and how far noise is below the loudest at least."""
LOUD_FALLS, NOISE_RISES = 2.0, 8.0
"""How fast the two are forgotten (dB per second)."""
HANGOVER = 15
"""Hops for which speech goes on after its last loud one: the closure of a plosive is no silence."""
LEAD = 10
"""Hops by which the gate opens before the voice; lips part about 0.1 s before it."""
OPENS, CLOSES = 1 / 8, 1 / 20
"""Part of the way per hop: 80 ms to open, 200 ms to close."""


class SpeechGate:
    """Speech in pieces of any size in, a smooth gate out: 1 where somebody speaks, 0 in silence.

    The level of each 10 ms is compared with a threshold between the running noise floor and the running loudest level,
    with hysteresis. All of it is causal but for `LEAD`.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._wave, self._hop = sample_rate, np.zeros(0, np.float32), 0
        self._loudest, self._noise = FIRST_LOUD_DB, FIRST_NOISE_DB
        self._left = 0
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
            # The deviation, not the mean square: an offset is no sound.
            deviation = float(self._wave[used : used + end].std())
            used += end
            self._hear(20 * np.log10(max(deviation, 1e-6)))
        self._wave = self._wave[used:]

    def pad(self, until: Fraction) -> None:
        """Silence, until the gate is known at ``until`` seconds."""
        while self.known < until:
            self._hear(-120.0)

    def at(self, seconds: Fraction) -> float:
        """The gate at a time that is known and not before that of the last call."""
        exact = seconds * HOPS_PER_SECOND
        hop = int(exact)
        while self._first < hop and len(self._values) > 2:
            self._values.popleft()
            self._first += 1
        low, high = (self._values[min(hop + k - self._first, len(self._values) - 1)] for k in (0, 1))
        gate = low + (high - low) * float(exact - hop)
        return gate * gate * (3 - 2 * gate)

    def _start(self, hop: int) -> int:
        return hop * self._rate // HOPS_PER_SECOND

    def _hear(self, level: float) -> None:
        self._hop += 1
        self._loudest = max(level, self._loudest - LOUD_FALLS / HOPS_PER_SECOND)
        self._noise = min(level, self._noise + NOISE_RISES / HOPS_PER_SECOND, self._loudest - NOISE_BELOW_DB)
        threshold = max(self._noise + ABOVE_NOISE_DB, self._loudest - QUIETEST_DB, SILENT_DB)
        if level > threshold - HYSTERESIS_DB * (self._left > 0):
            self._left = HANGOVER
        target = float(self._left > 0)
        self._left = max(0, self._left - 1)
        if self._hop <= LEAD:
            return
        gate = target if self._gate is None else self._gate
        self._gate = min(target, gate + OPENS) if target > gate else max(target, gate - CLOSES)
        self._values.append(self._gate)
