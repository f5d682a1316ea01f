"""Detection of speech by loudness, while the audio arrives."""

from __future__ import annotations

import copy
from collections import deque
from fractions import Fraction
from typing import Any

import numpy as np

from ..geometry.smoothstep import smoothstep
from ..media.audio import Wave
from ..media.loudness import power_db

HOPS_PER_SECOND = 100
"""Decisions per second; the other durations are in these hops."""
AVERAGED_HOPS = 3
"""Hops over which the level is averaged."""
INITIAL_PEAK_DB, INITIAL_NOISE_DB = -22.0, -35.0
"""Levels (dB of full scale) assumed before any audio; the noise falls to the true one at once."""
SILENCE_DB = -120.0
"""Level of digital silence, in place of minus infinity."""
ENOUGH_SPEECH_HOPS = 100
"""Hops of speech after which their loudest level is trusted more than the assumed one."""
INITIAL_PEAK_FALL, PEAK_FALL = 6.0, 0.2
"""How fast the peak is forgotten, before and after enough speech (dB per second)."""
NOISE_RISE, NOISE_FALL = 8.0, 400.0
"""How fast the noise is followed (dB per second): a few blank samples at the start of a file are no quiet room."""
MIN_RANGE_IN_SPEECH_DB, MIN_RANGE_IN_SILENCE_DB, MAX_RANGE_DB = 10.0, 18.0, 50.0
"""Assumed range from the noise to the peak: a long vowel must not pass as noise, nor noise as speech."""
THRESHOLD_SHARE, MIN_MARGIN_DB, HYSTERESIS_DB = 0.45, 6.0, 2.0
"""Speech begins at this share of the range from noise to peak, at least this margin above the noise; it ends below that
by the hysteresis."""
HANGOVER_HOPS = 20
"""Hops for which speech continues after the last loud one: the closure of a plosive is no silence."""
LEAD_HOPS = 15
"""Hops by which the gate begins to open before the voice; lips part about 0.1 s before it."""
OPENING, CLOSING = 1 / 8, 1 / 20
"""Change of the gate per hop: 80 ms to open, 200 ms to close."""


class SpeechGate:
    """A smooth gate, 1 in speech and 0 in silence, from audio in pieces of any size.

    The level of each 10 ms is compared with a threshold between a running noise floor and a running peak level, with
    hysteresis. All of this is causal, except for the lead `LEAD_HOPS`.

    Args:
        sample_rate: of the audio (Hz).
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate, self._wave, self._hop = sample_rate, np.zeros(0, np.float32), 0
        self._peak, self._noise = INITIAL_PEAK_DB, INITIAL_NOISE_DB
        self._powers: deque[float] = deque(maxlen=AVERAGED_HOPS)
        self._hangover = self._speech_hops = 0
        self._gate: float | None = None
        self._values: deque[float] = deque()
        self._first = 0

    @property
    def until(self) -> Fraction:
        """Time (s) up to which the gate is determined; below 0 if it is not determined at all."""
        return Fraction(self._first + len(self._values) - 1, HOPS_PER_SECOND)

    def push(self, wave: Wave) -> None:
        """Process the next samples ``[s]``."""
        self._wave = np.concatenate([self._wave, wave])
        used = 0
        while (count := self._start(self._hop + 1) - self._start(self._hop)) <= len(self._wave) - used:
            # The variance, not the mean square: an offset is no sound.
            self._process_hop(float(self._wave[used : used + count].astype(np.float64).var()))
            used += count
        self._wave = self._wave[used:]

    def pad(self, until: Fraction) -> None:
        """Process silence, until the gate is determined at ``until`` (s)."""
        while self.until < until:
            self._process_hop(0.0)

    def at(self, time: Fraction) -> float:
        """Return the gate, 0 to 1, at a time (s) that is determined and not before that of the last call."""
        exact = time * HOPS_PER_SECOND
        hop = int(exact)
        # Only the two values around the time are needed, so memory does not grow.
        while self._first < hop and len(self._values) > 2:
            self._values.popleft()
            self._first += 1
        before, after = (self._values[min(hop + k - self._first, len(self._values) - 1)] for k in (0, 1))
        return smoothstep(before + (after - before) * float(exact - hop))

    def get_state(self) -> dict[str, Any]:
        """Return the position in the audio."""
        return {name: value for name, value in vars(self).items() if name != "_sample_rate"}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue at a position in audio of the same rate."""
        vars(self).update(copy.deepcopy(state))

    def _start(self, hop: int) -> int:
        # Whole samples: at 11025 Hz a hop has 110 or 111 samples, and hops do not drift.
        return hop * self._sample_rate // HOPS_PER_SECOND

    def _process_hop(self, power: float) -> None:
        self._hop += 1
        is_speech = self._is_speech(power)
        # The first decisions have no frames to apply to: the gate is ahead of the audio.
        if self._hop <= LEAD_HOPS:
            return
        target = float(is_speech)
        gate = target if self._gate is None else self._gate
        self._gate = min(target, gate + OPENING) if target > gate else max(target, gate - CLOSING)
        self._values.append(self._gate)

    def _is_speech(self, power: float) -> bool:
        """Update noise, peak and threshold by the power of the next hop and compare its level."""
        self._powers.append(power)
        level = float(power_db(sum(self._powers) / len(self._powers), floor_db=SILENCE_DB))
        # The noise floor falls fast and rises slowly, so speech hardly raises it.
        lowest, highest = (self._noise + rate / HOPS_PER_SECOND for rate in (-NOISE_FALL, NOISE_RISE))
        self._noise = min(max(level, lowest), highest)
        fall = INITIAL_PEAK_FALL if self._speech_hops < ENOUGH_SPEECH_HOPS else PEAK_FALL
        self._peak = max(level, self._peak - fall / HOPS_PER_SECOND)
        # Noise and peak push each other apart: in speech the peak is certain, in silence the noise is.
        if self._hangover:
            self._noise = min(self._noise, self._peak - MIN_RANGE_IN_SPEECH_DB)
        else:
            self._peak = max(self._peak, self._noise + MIN_RANGE_IN_SILENCE_DB)
        self._noise = max(self._noise, self._peak - MAX_RANGE_DB)
        threshold = self._noise + max(MIN_MARGIN_DB, THRESHOLD_SHARE * (self._peak - self._noise))
        if level > threshold - HYSTERESIS_DB * (self._hangover > 0):
            self._hangover, self._speech_hops = HANGOVER_HOPS, self._speech_hops + 1
        is_speech = self._hangover > 0
        self._hangover = max(0, self._hangover - 1)
        return is_speech
