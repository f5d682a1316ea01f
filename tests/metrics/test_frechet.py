"""The Fréchet distance against other formulas, and the metric over it by hand."""

import json

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from moving import FACE, KEYPOINTS, clip_of, context, rest_of

import headmotion as hm
from headmotion.core.interfaces.metric import MetricInput, Observation
from headmotion.core.interfaces.representation import Representation
from headmotion.metrics.frechet import Frechet, Gaussian, frechet_distance
from headmotion.metrics.specs import FrechetMotionSpec


def distance_between(left: np.ndarray, right: np.ndarray) -> float:
    return frechet_distance(*(Gaussian.fit(torch.from_numpy(samples)) for samples in (left, right)))


def by_matrix_root(left: np.ndarray, right: np.ndarray) -> float:
    """The formula as FID and torchmetrics evaluate it: means, covariances, the root of their product."""
    shift = left.mean(axis=0) - right.mean(axis=0)
    first, second = np.cov(left, rowvar=False), np.cov(right, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root).real)


def samples(count: int, size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([count, size, seed])
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size)) + rng.normal(size=size)


@pytest.mark.parametrize(("counts", "size"), [((500, 300), 2), ((200, 400), 20), ((2000, 1500), 64), ((130, 129), 128)])
def test_the_distance_is_the_published_formula(counts: tuple[int, int], size: int) -> None:
    left, right = samples(counts[0], size, 1), samples(counts[1], size, 2)
    assert distance_between(left, right) == pytest.approx(by_matrix_root(left, right), rel=1e-6)
    assert distance_between(right, left) == pytest.approx(distance_between(left, right), rel=1e-9)


def test_one_dimension_by_hand() -> None:
    # Means 2 and 5, variances 2 and 18 (sums of squares 2 and 18 over n - 1 = 1): 9 + (sqrt(18) - sqrt(2))^2 = 17.
    left, right = np.array([[1.0], [3.0]]), np.array([[2.0], [8.0]])
    assert distance_between(left, right) == pytest.approx(17.0, rel=1e-12)


def test_independent_dimensions_by_hand() -> None:
    # The corners of a box are uncorrelated; with n = 4 the variance of +-a is 4 a^2 / 3.
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    left, right = corners * [1.0, 2.0], corners * [4.0, 2.0] + [0.0, 7.0]
    assert distance_between(left, right) == pytest.approx(7**2 + 4 / 3 * (4 - 1) ** 2, rel=1e-12)


@pytest.mark.parametrize(("count", "size"), [(2, 1), (2, 300), (50, 300), (400, 30)])
def test_the_distance_of_a_set_from_itself_is_0(count: int, size: int) -> None:
    left = samples(count, size, 3)
    assert distance_between(left, left.copy()) == pytest.approx(0, abs=1e-9 * float(np.square(left).sum()))
    assert distance_between(left, left[::-1].copy()) == pytest.approx(0, abs=1e-9 * float(np.square(left).sum()))


def test_a_shift_adds_its_square_for_any_covariance() -> None:
    for count in (3, 40, 400):
        left = samples(count, 30, 4)
        assert distance_between(left, left + 0.5) == pytest.approx(30 * 0.25, rel=1e-8)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 30), st.integers(0, 3), st.integers(0, 99))
def test_the_distance_is_finite_and_never_negative(left: int, right: int, size: int, constant: int, seed: int) -> None:
    first, second = samples(left, size, seed), samples(right, size, seed + 1)
    first[:, :constant], second[:, :constant] = 3.0, 3.0
    distance = distance_between(first, second)
    assert np.isfinite(distance) and distance >= 0
    assert distance_between(first * 0, second * 0) == 0


def test_few_samples_have_the_distance_of_their_covariances() -> None:
    left, right = samples(6, 40, 1), samples(9, 40, 2)
    # Within the span of all samples nothing is lost, and there the matrices are no longer so singular.
    basis = np.linalg.qr(np.concatenate([left, right]).T)[0]
    assert distance_between(left, right) == pytest.approx(distance_between(left @ basis, right @ basis), rel=1e-9)


def test_one_sample_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two samples"):
        Gaussian.fit(torch.zeros(1, 4))


def walk(representation: Representation, frames: int, seed: int, size: float = 1.0) -> torch.Tensor:
    """Poses ``[T, P, 2]`` that follow a random walk, in pixels."""
    steps = np.random.default_rng(seed).normal(0, size, (frames, representation.points, 2)).cumsum(axis=0)
    return rest_of(representation)[:, :2] + torch.from_numpy(steps)


def build(representation: Representation = KEYPOINTS, **choices: object) -> Frechet:
    return FrechetMotionSpec.model_validate(choices).build(context(representation))


def clips(
    count: int, frames: int = 50, size: float = 1.0, representation: Representation = KEYPOINTS
) -> list[MetricInput]:
    return [
        clip_of(representation, walk(representation, frames, k, size), walk(representation, frames, 1000 + k))
        for k in range(count)
    ]


def unit_frame(clip: MetricInput, values: torch.Tensor) -> np.ndarray:
    """Poses in hundredths of the unit square: centered on the first real pose, twice as wide as its longer edge."""
    assert clip.real is not None
    first = clip.real.values[0].double().numpy()
    low, high = first.min(axis=0), first.max(axis=0)
    return 100 * ((values.double().numpy() - (low + high) / 2) / (2 * (high - low).max()) + 0.5)


def test_velocity_of_the_last_frames_by_hand() -> None:
    metric, measured = build(durations=(40, 48), hop=3), clips(30)
    result = metric.figures([metric.observe(clip) for clip in measured]).values
    for duration in (40, 48):
        features: list[np.ndarray] = []
        for side in ("generated", "real"):
            rows = []
            for clip in measured:
                poses = unit_frame(clip, getattr(clip, side).values)[duration - 40 : duration]
                rows += [(poses[k + 1] - poses[k - 1]).ravel() / 2 for k in range(1, 39, 3)]
            features.append(np.array(rows))
        assert result[f"velocity_{duration}f"] == pytest.approx(by_matrix_root(*features), rel=1e-4)
    assert set(result) == {f"{k}_{d}f" for k in ("pose", "velocity", "acceleration") for d in (40, 48)}


def test_real_motion_is_at_0_and_faster_motion_further_away() -> None:
    metric = build(durations=(40,))

    def velocity(size: float) -> float:
        observed = [metric.observe(clip) for clip in clips(20, size=size)]
        return metric.figures(observed).values["velocity_40f"]

    assert velocity(1.0) < velocity(1.5) < velocity(3.0)
    real = walk(KEYPOINTS, 45, 1)
    identical = metric.figures([metric.observe(clip_of(KEYPOINTS, real, real))]).values
    assert all(value == pytest.approx(0, abs=1e-6) for value in identical.values())


def test_notes_on_short_clips_and_few_samples() -> None:
    metric = build()
    observed: list[Observation] = [metric.observe(clip) for clip in [*clips(2, 90), *clips(2, 50)]]
    notes = metric.figures(observed).notes
    assert "80 frames: 2 of 4 clips, the others are shorter" in notes
    assert "200 frames: 0 of 4 clips, the others are shorter" in notes
    assert not any("samples in" in note for note in notes)
    face = build(FACE, durations=(40,))
    (note,) = face.figures([face.observe(clip) for clip in clips(3, representation=FACE)]).notes
    assert note.startswith("30 samples in 136 dimensions make") and note.endswith(
        "pose_40f, velocity_40f, acceleration_40f"
    )


def test_one_sample_gives_no_value_and_constant_motion_a_finite_one() -> None:
    metric = build(durations=(40,), hop=100)
    observed = [metric.observe(clip) for clip in clips(1)]
    result = metric.figures(observed)
    assert result.values == {} and result.notes[0].startswith("one sample has no covariance: pose_40f")
    still = rest_of(KEYPOINTS)[:, :2].repeat(40, 1, 1)
    result = build(durations=(40,)).figures([build(durations=(40,)).observe(clip_of(KEYPOINTS, still, still))])
    assert set(result.values.values()) == {0.0}


def test_clips_that_cannot_be_measured_are_refused() -> None:
    metric = build()
    with pytest.raises(hm.MotionError, match="40 frames at 25 fps, got 39"):
        metric.observe(clips(1, 39)[0])
    with pytest.raises(hm.MotionError, match="real motion"):
        metric.observe(clip_of(KEYPOINTS, walk(KEYPOINTS, 50, 0)))
    with pytest.raises(hm.SpecError, match="80 frames or more"):
        build(frames=80, durations=(40,))
    assert [build(frames=80).durations] == [[80, 200]]


def test_the_protocol_is_json_with_lengths_and_features() -> None:
    protocols = [build(), build(hop=2), build(frames=80), build(durations=(40,))]
    assert len({json.dumps(dict(metric.protocol), sort_keys=True) for metric in protocols}) == 4
