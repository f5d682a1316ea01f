import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, clip_of, context, talking
from scipy.signal import butter, sosfiltfilt

from headmotion.core.errors import MotionError, SpecError
from headmotion.core.interfaces.metric import MetricValues
from headmotion.metrics.specs import OpeningSpec


def measure(*pairs: tuple[torch.Tensor, torch.Tensor]) -> MetricValues:
    metric = OpeningSpec().build(context(FACE))
    return metric.figures([metric.observe(clip_of(FACE, generated, real)) for generated, real in pairs])


def speaking(time: np.ndarray) -> np.ndarray:
    return 5 + 3 * np.sin(2 * np.pi * 3 * time) + np.sin(2 * np.pi * 5.3 * time)


def test_a_smaller_mouth_that_is_two_frames_late_correlates() -> None:
    real, late = (talking(FACE, 100, curve) for curve in (speaking, lambda time: 0.5 * speaking(time - 2 / 25)))
    result = measure((late, real))
    assert result.values["correlation"] > 0.98
    assert result.values["amplitude_ratio"] == pytest.approx(0.5, abs=0.05)
    assert result.notes == ()
    far = measure((talking(FACE, 100, lambda time: speaking(time - 5 / 25)), real))
    assert far.values["correlation"] < 0.9


def test_the_value_is_the_largest_correlation_of_filtered_openings() -> None:
    rng = np.random.default_rng(1)
    curves = rng.uniform(4, 8, (2, 80))
    generated, real = (talking(FACE, 80, lambda time, curve=curve: curve) for curve in curves)
    sections = butter(3, (1, 8), "band", fs=25, output="sos")
    left, right = (sosfiltfilt(sections, curve) for curve in curves)
    shifts = [(left[k:], right[: 80 - k]) for k in range(4)] + [(left[: 80 - k], right[k:]) for k in range(1, 4)]
    expected = max(np.corrcoef(a, b)[0, 1] for a, b in shifts)
    result = measure((generated, real))
    assert result.values["correlation"] == pytest.approx(expected, abs=1e-4)
    assert result.values["amplitude_ratio"] == pytest.approx(left.std() / right.std(), rel=1e-4)


def test_a_still_mouth_has_correlation_0_and_a_still_real_one_no_value() -> None:
    still, moving = talking(FACE, 60, lambda time: 5 + 0 * time), talking(FACE, 60, speaking)
    assert measure((still, moving)).values == {"correlation": 0.0, "amplitude_ratio": pytest.approx(0, abs=1e-4)}
    assert measure((moving, still)) == MetricValues({}, ("the real mouth does not move in any clip",))
    result = measure((moving, still), (moving, moving))
    assert result.values == {"correlation": pytest.approx(1), "amplitude_ratio": pytest.approx(1)}
    assert result.notes == ("correlation: defined for 1 of 2 clips", "amplitude_ratio: defined for 1 of 2 clips")


def test_clips_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(SpecError, match="opening"):
        OpeningSpec().build(context(KEYPOINTS))
    with pytest.raises(SpecError, match="low_hz below high_hz 8"):
        OpeningSpec(low_hz=9)
    metric = OpeningSpec().build(context(FACE))
    short = talking(FACE, 21, speaking)
    with pytest.raises(MotionError, match="more than 21 frames"):
        metric.observe(clip_of(FACE, short, short))
    slow = talking(FACE, 60, speaking)
    with pytest.raises(MotionError, match="more than 16 frames per second"):
        metric.observe(clip_of(FACE, slow, slow, fps=12))
