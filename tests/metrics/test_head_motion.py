import numpy as np
import pytest
import torch
from moving import FACE, HANDS, KEYPOINTS, SOLID_FACE, clip_of, context, rest_of
from scipy.spatial.transform import Rotation

from headmotion.core.errors import MotionError
from headmotion.core.interfaces.metric import MetricValues
from headmotion.core.interfaces.representation import Representation
from headmotion.metrics.signals import centered_windows, windowed_stats
from headmotion.metrics.specs import DriftSpec, HeadMotionSpec, JitterSpec
from headmotion.representations.point_representation import neutral_3d

TIME = np.arange(150) / 25


def turning(representation: Representation, axis: str, degrees: np.ndarray) -> torch.Tensor:
    """A head ``[T, P, D]`` that rotates about one axis."""
    solid = neutral_3d(representation)
    assert solid is not None
    rest = 200 * solid.double().numpy()
    middle = rest[27:36].mean(axis=0)
    matrices = Rotation.from_euler(axis, degrees[:, None], degrees=True).as_matrix()
    moved = np.einsum("tij,pj->tpi", matrices, rest - middle) + middle
    return torch.from_numpy(moved[..., : representation.dims])


def measure(representation: Representation, generated: torch.Tensor, real: torch.Tensor | None = None) -> MetricValues:
    metric = HeadMotionSpec().build(context(representation))
    return metric.figures([metric.observe(clip_of(representation, generated, real))])


@pytest.mark.parametrize("face", [FACE, SOLID_FACE], ids=["flat", "solid"])
@pytest.mark.parametrize(("axis", "name"), [("x", "pitch"), ("y", "yaw"), ("z", "roll")])
def test_a_rotation_of_known_amplitude_and_rate(face: Representation, axis: str, name: str) -> None:
    generated = turning(face, axis, 10 + 5 * np.sin(2 * np.pi * TIME))  # three periods in three seconds
    real = turning(face, axis, 10 + 2 * np.sin(2 * np.pi * TIME))
    result = measure(face, generated, real).values
    assert result[f"spread_{name}_deg"] == pytest.approx(5 / np.sqrt(2), rel=0.05)
    # Of samples of a sine the mean square step is that of a chord.
    assert result[f"speed_{name}_deg_per_s"] == pytest.approx(25 * 5 * np.sqrt(2) * np.sin(np.pi / 25), rel=0.05)
    assert result[f"spread_{name}_ratio"] == pytest.approx(2.5, rel=0.03)
    others = {"pitch", "yaw", "roll"} - {name}
    assert all(result[f"spread_{other}_deg"] < 0.4 for other in others)


def test_statistics_are_root_mean_squares_over_windows() -> None:
    curve = np.random.default_rng(0).normal(size=(110, 2))
    cut = [curve[:75], curve[25:100]]
    assert [len(window) for window in centered_windows(curve)] == [75, 75]
    std = np.sqrt(np.mean([window.var(axis=0) for window in cut], axis=0))
    speed = np.sqrt(np.mean([np.square(np.diff(window, axis=0)).mean(axis=0) for window in cut], axis=0))
    np.testing.assert_allclose(windowed_stats(curve).std, std)
    np.testing.assert_allclose(windowed_stats(curve).speed, speed)


def test_still_real_motion_gives_no_ratio_and_a_still_head_is_0() -> None:
    still = rest_of(FACE).repeat(60, 1, 1)
    result = measure(FACE, turning(FACE, "y", 5 * np.sin(TIME[:60])), still)
    assert not [name for name in result.values if name.endswith("ratio")]
    assert "spread_yaw_ratio: the real motion does not move" in result.notes
    assert "1 of 1 clips are shorter than 3 s" in result.notes
    assert set(measure(FACE, still).values.values()) == {0.0}
    with pytest.raises(MotionError, match="more than 20 frames"):
        measure(FACE, still[:20])


def test_representations_without_a_face_are_measured_as_a_whole() -> None:
    rest = rest_of(KEYPOINTS)
    size = float((rest[0] - rest[1]).norm())
    wave = torch.from_numpy(np.sin(2 * np.pi * TIME))
    result = measure(KEYPOINTS, rest + 3 * wave[:, None, None] * torch.tensor([1.0, 0.0])).values
    assert result["spread_x_scale"] == pytest.approx(3 / np.sqrt(2) / size, rel=0.05)
    assert result["spread_points_scale"] == pytest.approx(result["spread_x_scale"], rel=1e-3)
    assert result["spread_y_scale"] == result["spread_roll_deg"] == pytest.approx(0, abs=1e-4)
    rotation = torch.polar(torch.ones(len(TIME)).double(), torch.deg2rad(170 + 20 * wave))  # past 180 degrees
    around = torch.view_as_complex(rest_of(HANDS).contiguous())
    rolling = torch.view_as_real((around - around.mean()) * rotation[:, None] + around.mean())
    assert measure(HANDS, rolling).values["spread_roll_deg"] == pytest.approx(20 / np.sqrt(2), rel=0.05)


def test_jitter_is_the_third_difference() -> None:
    metric = JitterSpec().build(context(FACE))
    rest = rest_of(FACE)
    size = float((rest[36] - rest[45]).norm())
    square, cube = (torch.arange(8.0).double() ** power for power in (2, 3))
    generated = rest + cube[:, None, None]  # its third difference is 6 everywhere, that of a square 0
    real = rest + 0.5 * cube[:, None, None] + square[:, None, None]
    result = metric.figures([metric.observe(clip_of(FACE, generated, real))])
    assert result.values == {
        "jitter_scale": pytest.approx(6 / size, rel=1e-4),
        "jitter_ratio": pytest.approx(2, rel=1e-4),
    }
    still = metric.figures([metric.observe(clip_of(FACE, generated, rest.repeat(8, 1, 1)))])
    assert list(still.values) == ["jitter_scale"] and still.notes
    assert metric.figures([metric.observe(clip_of(FACE, generated))]).values.keys() == {"jitter_scale"}
    with pytest.raises(MotionError, match="4 frames or more, got 3"):
        metric.observe(clip_of(FACE, generated[:3]))


def test_drift_is_the_distance_of_windows_in_real_deviations() -> None:
    metric = DriftSpec(frames=30, window_frames=10).build(context(KEYPOINTS))
    rest = rest_of(KEYPOINTS)
    right, size = torch.tensor([1.0, 0.0]), float((rest[0] - rest[1]).norm())
    real = rest + torch.tensor([-2.0, 2.0]).repeat(10)[:, None, None] * right  # deviation 2, along x alone
    long = rest + torch.tensor([0.0, 3.0, 8.0]).repeat_interleave(10)[:, None, None] * right
    observed = metric.observe(clip_of(KEYPOINTS, real, real, long=long))
    assert float(observed["variance"][1]) == pytest.approx((2 / size) ** 2, rel=1e-5)
    result = metric.figures([observed, observed])
    assert result.values == {
        "distance_near_std": pytest.approx(1.5, rel=1e-3),
        "distance_end_std": pytest.approx(4, rel=1e-3),
    }
    (plot,) = metric.plots([observed]).values()
    assert plot.curves["mean"].x == pytest.approx([0.6, 1]) and plot.curves["mean"].y == pytest.approx(
        [1.5, 4], rel=1e-3
    )
    still = metric.observe(clip_of(KEYPOINTS, real, rest.repeat(20, 1, 1), long=long))
    assert metric.figures([still]) == MetricValues({}, ("distances: the real clips do not move",)) and not metric.plots(
        [still]
    )
    with pytest.raises(MotionError, match="30 frames of long motion, got 29"):
        metric.observe(clip_of(KEYPOINTS, real, real, long=long[:29]))
