"""Powers in decibels."""

import numpy as np
import pytest

from headmotion.media.loudness import power_db


def test_full_scale_is_zero_and_a_tenth_of_the_amplitude_is_20_db_less():
    wave = np.sin(np.linspace(0, 200 * np.pi, 10_000, endpoint=False))
    assert power_db(2 * np.mean(wave**2)) == pytest.approx(0, abs=1e-9)
    assert power_db(2 * np.mean((wave / 10) ** 2)) == pytest.approx(-20)


def test_the_floor_is_the_level_of_silence_and_hardly_changes_loud_sounds():
    quiet, faint, loud = power_db([0.0, 1e-8, 1.0], floor_db=-80)
    assert quiet == pytest.approx(-80)
    assert faint == pytest.approx(-80 + 10 * np.log10(2))
    assert loud == pytest.approx(0, abs=1e-6)


def test_without_a_floor_silence_has_no_level():
    with np.errstate(divide="ignore"):
        assert power_db(0.0) == -np.inf
