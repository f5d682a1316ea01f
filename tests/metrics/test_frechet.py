import json

import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, clip_of, context, rest_of
from test_gaussian import by_matrix_root

import headmotion as hm
from headmotion.core.interfaces.metric import MetricInput, Observation
from headmotion.core.interfaces.representation import Representation
from headmotion.metrics.frechet import Frechet
from headmotion.metrics.frechet_specs import FrechetMotionSpec


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
    assert "80 frames: of 2 of 4 clips, the others are shorter" in notes
    assert "200 frames: of 0 of 4 clips, the others are shorter" in notes
    assert not any("samples in" in note for note in notes)
    face = built(FACE, durations=(40,))
    (note,) = face.figures([face.observe(clip) for clip in clips(3, representation=FACE)]).notes
    assert note.startswith("30 samples in 136 dimensions, which") and note.endswith(
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
    with pytest.raises(hm.MotionError, match="true motion"):
        metric.observe(clip_of(KEYPOINTS, walk(KEYPOINTS, 50, 0)))
    with pytest.raises(hm.SpecError, match="80 frames or more"):
        built(frames=80, durations=(40,))
    assert [built(frames=80).durations] == [[80, 200]]


def test_the_protocol_is_json_and_tells_lengths_and_features() -> None:
    protocols = [built(), built(hop=2), built(frames=80), built(durations=(40,))]
    assert len({json.dumps(dict(metric.protocol), sort_keys=True) for metric in protocols}) == 4
