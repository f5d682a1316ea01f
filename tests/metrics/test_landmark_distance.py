"""LMD, frontal LMD and lip vertex error."""

import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, SOLID_FACE, clip_of, context, rest_of
from scipy.spatial.transform import Rotation

from headmotion.core.errors import MotionError, SpecError
from headmotion.metrics.specs import FrontalDistanceSpec, LandmarkDistanceSpec, LipErrorSpec


def lmd(generated: torch.Tensor, real: torch.Tensor) -> dict[str, float]:
    metric = LandmarkDistanceSpec().build(context(FACE))
    return dict(metric.figures([metric.observe(clip_of(FACE, generated, real))]).values)


def test_lmd_is_the_mean_distance_relative_to_the_center_of_the_mouth() -> None:
    rng = np.random.default_rng(0)
    generated, real = (rest_of(FACE).numpy() + rng.normal(size=(9, 68, 2)) for _ in range(2))
    expected = []
    for frame, real_frame in zip(generated[:, 48:], real[:, 48:], strict=True):
        middle = (sum(frame) / 20, sum(real_frame) / 20)
        expected += [np.hypot(*((a - middle[0]) - (b - middle[1]))) for a, b in zip(frame, real_frame, strict=True)]
    result = lmd(torch.from_numpy(generated), torch.from_numpy(real))
    assert result["lmd_px"] == pytest.approx(np.mean(expected), rel=1e-5)
    eyes = np.median(np.linalg.norm(real[:, 36] - real[:, 45], axis=1))
    assert result["lmd_scale"] == pytest.approx(np.mean(expected) / eyes, rel=1e-5)


def test_lmd_ignores_translation_and_is_0_for_equal_motion() -> None:
    real = rest_of(FACE).repeat(4, 1, 1)
    assert lmd(real + 30, real)["lmd_px"] == pytest.approx(0, abs=1e-4)
    lowered = real.clone()
    lowered[:, 57] += torch.tensor([0.0, 20.0])  # one of 20 points: it moves the middle by 1, itself by 19
    assert lmd(lowered, real)["lmd_px"] == pytest.approx((19 * 1 + 19) / 20, rel=1e-5)


def test_clips_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(SpecError, match=r"\(none\), got 'lips'"):
        LandmarkDistanceSpec().build(context(KEYPOINTS))
    metric = LandmarkDistanceSpec().build(context(FACE))
    rest = rest_of(FACE).repeat(3, 1, 1)
    with pytest.raises(MotionError, match="real motion"):
        metric.observe(clip_of(FACE, rest))
    with pytest.raises(MotionError, match="as many real frames"):
        metric.observe(clip_of(FACE, rest, rest[:2]))
    with pytest.raises(MotionError, match="finite"):
        metric.observe(clip_of(FACE, rest * float("nan"), rest))
    with pytest.raises(MotionError, match="two separate points"):
        metric.observe(clip_of(FACE, rest, torch.zeros_like(rest)))


def rotated(values: torch.Tensor, degrees: np.ndarray) -> torch.Tensor:
    """Each frame ``[T, P, 3]`` rotated about the vertical through the center of its lips."""
    middle = values[:, 48:].mean(dim=1, keepdim=True)
    matrices = torch.from_numpy(Rotation.from_euler("y", degrees[:, None], degrees=True).as_matrix())
    return (values - middle) @ matrices.mT + middle


def test_frontal_lmd_ignores_yaw() -> None:
    metric = FrontalDistanceSpec().build(context(SOLID_FACE))
    rng = np.random.default_rng(0)
    real = rest_of(SOLID_FACE) + torch.from_numpy(rng.normal(size=(7, 68, 3)))
    generated = real.clone()
    generated[:, 57, 1] += 10.0
    level = [
        metric.per_clip(metric.observe(clip_of(SOLID_FACE, generated, target)))["lmd_frontal_px"]
        for target in (real, rotated(real, rng.uniform(-50, 50, 7)))
    ]
    assert level[1] == pytest.approx(level[0], rel=1e-4)
    # One of 20 points is 10 lower: it moves the middle by 1/2, itself by 19/2.
    assert level[0] == pytest.approx((19 * 0.5 + 9.5) / 20, rel=1e-4)


def test_frontal_lmd_is_the_published_rotation_followed_by_lmd() -> None:
    rng = np.random.default_rng(1)
    generated, real = (rest_of(SOLID_FACE).numpy() + rng.normal(0, 4, (5, 68, 3)) for _ in range(2))

    def to_front(frame: np.ndarray) -> np.ndarray:
        lips = frame[48:]
        v = lips[6] - lips[0]
        theta = -np.arcsin(-v[2] / np.sqrt(v[2] ** 2 + v[0] ** 2))
        matrix = np.array([[np.cos(theta), 0, np.sin(theta)], [0, 1, 0], [-np.sin(theta), 0, np.cos(theta)]])
        return ((lips - lips.mean(0)) @ matrix.T)[:, :2]

    expected = np.mean(
        [np.linalg.norm(to_front(a) - to_front(b), axis=1).mean() for a, b in zip(generated, real, strict=True)]
    )
    metric = FrontalDistanceSpec().build(context(SOLID_FACE))
    clip = clip_of(SOLID_FACE, torch.from_numpy(generated), torch.from_numpy(real))
    assert metric.figures([metric.observe(clip)]).values["lmd_frontal_px"] == pytest.approx(expected, rel=1e-5)


def test_frontal_lmd_needs_depth() -> None:
    with pytest.raises(SpecError, match="depth: x, y and z of each point, got landmarks68 with 2 numbers"):
        FrontalDistanceSpec().build(context(FACE))
    metric = FrontalDistanceSpec().build(context(SOLID_FACE))
    rest = rest_of(SOLID_FACE).repeat(3, 1, 1)
    deep = rest.clone()
    deep[1, 50, 2] = float("inf")
    with pytest.raises(MotionError, match="finite"):
        metric.observe(clip_of(SOLID_FACE, deep, rest))


def test_lip_vertex_error_is_that_of_the_worst_point() -> None:
    metric = LipErrorSpec().build(context(FACE))
    real = rest_of(FACE).repeat(2, 1, 1)
    size = float((real[0, 36] - real[0, 45]).norm())
    generated = real + torch.tensor([5.0, 7.0])  # a head elsewhere
    generated[0, 50] += torch.tensor([3.0, 4.0])
    generated[0, 60] += torch.tensor([0.0, 2.0])
    generated[1, 66] += torch.tensor([0.0, 9.0])
    error = metric.figures([metric.observe(clip_of(FACE, generated, real))]).values
    assert error == {"lip_error_scale": pytest.approx((5 + 9) / 2 / size, rel=1e-5)}
    absolute = LipErrorSpec(relative_to=None).build(context(FACE))
    elsewhere = absolute.figures([absolute.observe(clip_of(FACE, real + torch.tensor([3.0, 4.0]), real))]).values
    assert elsewhere == {"lip_error_scale": pytest.approx(5 / size, rel=1e-5)}
    with pytest.raises(SpecError, match="'nose'"):
        LipErrorSpec(group="jaw", relative_to="nose").build(context(_without_nose()))
    with pytest.raises(SpecError, match="'lips'"):
        LipErrorSpec().build(context(KEYPOINTS))


def _without_nose():  # type: ignore[no-untyped-def]
    face = type(FACE)(FACE.spec)
    face.groups = {name: members for name, members in face.groups.items() if name != "nose"}
    return face
