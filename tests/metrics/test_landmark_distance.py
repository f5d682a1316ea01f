import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, clip_of, context, rest_of

from headmotion.core.errors import MotionError, SpecError
from headmotion.metrics.motion_specs import LandmarkDistanceSpec


def lmd(generated: torch.Tensor, real: torch.Tensor) -> dict[str, float]:
    metric = LandmarkDistanceSpec().build(context(FACE))
    return dict(metric.figures([metric.observe(clip_of(FACE, generated, real))]).values)


def test_it_is_the_mean_distance_around_the_middle_of_the_mouth() -> None:
    chance = np.random.default_rng(0)
    made, true = (rest_of(FACE).numpy() + chance.normal(size=(9, 68, 2)) for _ in range(2))
    wanted = []
    for frame, truth in zip(made[:, 48:], true[:, 48:], strict=True):
        middle = (sum(frame) / 20, sum(truth) / 20)
        wanted += [np.hypot(*((a - middle[0]) - (b - middle[1]))) for a, b in zip(frame, truth, strict=True)]
    found = lmd(torch.from_numpy(made), torch.from_numpy(true))
    assert found["lmd_px"] == pytest.approx(np.mean(wanted), rel=1e-5)
    eyes = np.median(np.linalg.norm(true[:, 36] - true[:, 45], axis=1))
    assert found["lmd_scale"] == pytest.approx(np.mean(wanted) / eyes, rel=1e-5)


def test_a_head_that_is_elsewhere_does_not_matter_and_the_same_is_0() -> None:
    real = rest_of(FACE).repeat(4, 1, 1)
    assert lmd(real + 30, real)["lmd_px"] == pytest.approx(0, abs=1e-4)
    lowered = real.clone()
    lowered[:, 57] += torch.tensor([0.0, 20.0])  # one of 20 points: it moves the middle by 1, itself by 19
    assert lmd(lowered, real)["lmd_px"] == pytest.approx((19 * 1 + 19) / 20, rel=1e-5)


def test_what_cannot_be_measured_is_said() -> None:
    with pytest.raises(SpecError, match=r"\(none\), got 'lips'"):
        LandmarkDistanceSpec().build(context(KEYPOINTS))
    metric = LandmarkDistanceSpec().build(context(FACE))
    rest = rest_of(FACE).repeat(3, 1, 1)
    with pytest.raises(MotionError, match="true motion"):
        metric.observe(clip_of(FACE, rest))
    with pytest.raises(MotionError, match="as many true frames"):
        metric.observe(clip_of(FACE, rest, rest[:2]))
    with pytest.raises(MotionError, match="finite"):
        metric.observe(clip_of(FACE, rest * float("nan"), rest))
    with pytest.raises(MotionError, match="lies apart"):
        metric.observe(clip_of(FACE, rest, torch.zeros_like(rest)))
