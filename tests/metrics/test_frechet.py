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


def between(one: np.ndarray, other: np.ndarray) -> float:
    return frechet_distance(*(Gaussian.fit(torch.from_numpy(each)) for each in (one, other)))


def by_matrix_root(one: np.ndarray, other: np.ndarray) -> float:
    """The formula as FID's and torchmetrics' authors evaluate it: means, covariances, the root of their product."""
    shift = one.mean(axis=0) - other.mean(axis=0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root).real)


def samples(count: int, size: int, seed: int) -> np.ndarray:
    chance = np.random.default_rng([count, size, seed])
    return chance.normal(size=(count, size)) @ chance.normal(size=(size, size)) + chance.normal(size=size)


@pytest.mark.parametrize(("counts", "size"), [((500, 300), 2), ((200, 400), 20), ((2000, 1500), 64), ((130, 129), 128)])
def test_it_is_the_formula_that_others_evaluate(counts: tuple[int, int], size: int) -> None:
    one, other = samples(counts[0], size, 1), samples(counts[1], size, 2)
    assert between(one, other) == pytest.approx(by_matrix_root(one, other), rel=1e-6)
    assert between(other, one) == pytest.approx(between(one, other), rel=1e-9)


def test_one_dimension_by_hand() -> None:
    # Means 2 and 5, variances 2 and 18 (sums of squares 2 and 18 over n - 1 = 1): 9 + (sqrt(18) - sqrt(2))^2 = 17.
    one, other = np.array([[1.0], [3.0]]), np.array([[2.0], [8.0]])
    assert between(one, other) == pytest.approx(17.0, rel=1e-12)


def test_independent_dimensions_by_hand() -> None:
    # The corners of a box are uncorrelated; with n = 4 the variance of +-a is 4 a^2 / 3.
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    one, other = corners * [1.0, 2.0], corners * [4.0, 2.0] + [0.0, 7.0]
    assert between(one, other) == pytest.approx(7**2 + 4 / 3 * (4 - 1) ** 2, rel=1e-12)


@pytest.mark.parametrize(("count", "size"), [(2, 1), (2, 300), (50, 300), (400, 30)])
def test_a_set_is_no_way_from_itself(count: int, size: int) -> None:
    one = samples(count, size, 3)
    assert between(one, one.copy()) == pytest.approx(0, abs=1e-9 * float(np.square(one).sum()))
    assert between(one, one[::-1].copy()) == pytest.approx(0, abs=1e-9 * float(np.square(one).sum()))


def test_a_shift_alone_is_its_square_whatever_the_covariance() -> None:
    for count in (3, 40, 400):
        one = samples(count, 30, 4)
        assert between(one, one + 0.5) == pytest.approx(30 * 0.25, rel=1e-8)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 30), st.integers(0, 3), st.integers(0, 99))
def test_it_is_finite_and_never_negative(one: int, other: int, size: int, constant: int, seed: int) -> None:
    first, second = samples(one, size, seed), samples(other, size, seed + 1)
    first[:, :constant], second[:, :constant] = 3.0, 3.0
    found = between(first, second)
    assert np.isfinite(found) and found >= 0
    assert between(first * 0, second * 0) == 0


def test_few_samples_have_the_distance_of_their_covariances() -> None:
    one, other = samples(6, 40, 1), samples(9, 40, 2)
    # Within the span of all samples nothing is lost, and there the matrices are no longer so singular.
    basis = np.linalg.qr(np.concatenate([one, other]).T)[0]
    assert between(one, other) == pytest.approx(between(one @ basis, other @ basis), rel=1e-9)


def test_one_sample_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two samples"):
        Gaussian.fit(torch.zeros(1, 4))


def walk(representation: Representation, frames: int, seed: int, size: float = 1.0) -> torch.Tensor:
    """Poses that wander by pixels."""
    steps = np.random.default_rng(seed).normal(0, size, (frames, representation.points, 2)).cumsum(axis=0)
    return rest_of(representation)[:, :2] + torch.from_numpy(steps)


def built(representation: Representation = KEYPOINTS, **choices: object) -> Frechet:
    return FrechetMotionSpec.model_validate(choices).build(context(representation))


def clips(
    count: int, frames: int = 50, size: float = 1.0, representation: Representation = KEYPOINTS
) -> list[MetricInput]:
    return [
        clip_of(representation, walk(representation, frames, k, size), walk(representation, frames, 1000 + k))
        for k in range(count)
    ]


def unit_frame(clip: MetricInput, values: torch.Tensor) -> np.ndarray:
    """Hundredths of a square twice as wide as the first real pose's longer edge, from its middle."""
    assert clip.real is not None
    first = clip.real.values[0].double().numpy()
    low, high = first.min(axis=0), first.max(axis=0)
    return 100 * ((values.double().numpy() - (low + high) / 2) / (2 * (high - low).max()) + 0.5)


def test_velocity_of_the_last_frames_worked_out_beside_it() -> None:
    metric, given = built(durations=(40, 48), hop=3), clips(30)
    figures = metric.figures([metric.observe(clip) for clip in given]).values
    for duration in (40, 48):
        features: list[np.ndarray] = []
        for side in ("generated", "real"):
            rows = []
            for clip in given:
                poses = unit_frame(clip, getattr(clip, side).values)[duration - 40 : duration]
                rows += [(poses[k + 1] - poses[k - 1]).ravel() / 2 for k in range(1, 39, 3)]
            features.append(np.array(rows))
        assert figures[f"velocity_{duration}f"] == pytest.approx(by_matrix_root(*features), rel=1e-4)
    assert set(figures) == {f"{k}_{d}f" for k in ("pose", "velocity", "acceleration") for d in (40, 48)}


def test_the_truth_is_at_0_and_livelier_motion_further_away() -> None:
    metric = built(durations=(40,))

    def velocity(size: float) -> float:
        given = [metric.observe(clip) for clip in clips(20, size=size)]
        return metric.figures(given).values["velocity_40f"]

    assert velocity(1.0) < velocity(1.5) < velocity(3.0)
    real = walk(KEYPOINTS, 45, 1)
    same = metric.figures([metric.observe(clip_of(KEYPOINTS, real, real))]).values
    assert all(value == pytest.approx(0, abs=1e-6) for value in same.values())


def test_what_a_reader_must_know_is_noted() -> None:
    metric = built()
    observed: list[Observation] = [metric.observe(clip) for clip in [*clips(2, 90), *clips(2, 50)]]
    notes = metric.figures(observed).notes
    assert "80 frames: 2 of 4 clips, the others are shorter" in notes
    assert "200 frames: 0 of 4 clips, the others are shorter" in notes
    assert not any("samples in" in note for note in notes)
    face = built(FACE, durations=(40,))
    (note,) = face.figures([face.observe(clip) for clip in clips(3, representation=FACE)]).notes
    assert note.startswith("30 samples in 136 dimensions make") and note.endswith(
        "pose_40f, velocity_40f, acceleration_40f"
    )


def test_one_sample_gives_no_figure_and_constant_motion_a_finite_one() -> None:
    metric = built(durations=(40,), hop=100)
    observed = [metric.observe(clip) for clip in clips(1)]
    figures = metric.figures(observed)
    assert figures.values == {} and figures.notes[0].startswith("one sample has no covariance: pose_40f")
    still = rest_of(KEYPOINTS)[:, :2].repeat(40, 1, 1)
    figures = built(durations=(40,)).figures([built(durations=(40,)).observe(clip_of(KEYPOINTS, still, still))])
    assert set(figures.values.values()) == {0.0}


def test_what_cannot_be_measured_is_said() -> None:
    metric = built()
    with pytest.raises(hm.MotionError, match="40 frames at 25 fps, got 39"):
        metric.observe(clips(1, 39)[0])
    with pytest.raises(hm.MotionError, match="real motion"):
        metric.observe(clip_of(KEYPOINTS, walk(KEYPOINTS, 50, 0)))
    with pytest.raises(hm.SpecError, match="80 frames or more"):
        built(frames=80, durations=(40,))
    assert [built(frames=80).durations] == [[80, 200]]


def test_the_protocol_is_json_and_tells_lengths_and_features() -> None:
    protocols = [built(), built(hop=2), built(frames=80), built(durations=(40,))]
    assert len({json.dumps(dict(metric.protocol), sort_keys=True) for metric in protocols}) == 4
