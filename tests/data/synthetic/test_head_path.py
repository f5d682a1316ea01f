import json
from importlib.resources import files

import numpy as np
import pytest

from headmotion.core.errors import MotionError
from headmotion.data.synthetic.head_path import (
    AXES,
    HeadPath,
    add_random_motion,
    head_path,
    head_rotations,
    move_head,
    prosodic_path,
)
from headmotion.data.synthetic.prosody import prosody
from headmotion.data.synthetic.talking_faces import synthetic_clip

FRAMES = 75


@pytest.fixture(scope="module")
def table():
    return json.loads((files("headmotion.data.synthetic") / "head_statistics.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def followed():
    return [prosodic_path(synthetic_clip(seed).audio, FRAMES) for seed in range(25)]


def values(path: HeadPath) -> np.ndarray:
    return np.stack([getattr(path, axis) for axis in AXES], axis=1)


def std(paths) -> np.ndarray:
    return np.sqrt(np.mean([values(path).var(axis=0) for path in paths], axis=0))


def test_two_hundred_paths_go_as_far_and_as_fast_as_real_heads(table, followed):
    paths = [add_random_motion(np.random.default_rng(k), followed[k % 25]) for k in range(200)]
    speed, bend = (np.sqrt(np.mean([np.diff(values(p), n, axis=0) ** 2 for p in paths], axis=(0, 1))) for n in (1, 2))
    np.testing.assert_allclose(std(paths), [table["std"][axis] for axis in AXES], rtol=0.15)
    np.testing.assert_allclose(speed, [table["speed"][axis] for axis in AXES], rtol=0.15)
    np.testing.assert_allclose(bend, [table["acceleration"][axis] for axis in AXES], rtol=0.4)
    assert abs(np.mean([values(path).mean(axis=0) for path in paths], axis=0)).max() < 0.07


def test_the_stated_share_follows_the_speech(table, followed):
    paths = [add_random_motion(np.random.default_rng(k), followed[k % 25]) for k in range(200)]
    share = std(followed) ** 2 / std(paths) ** 2
    assert share.mean() == pytest.approx(table["head_path"]["prosody_share"], abs=0.1)
    assert share.min() > 0.4


def test_the_gains_belong_to_the_speech_not_to_its_level():
    audio = synthetic_clip(3).audio
    np.testing.assert_allclose(values(prosodic_path(audio, 75)), values(prosodic_path(audio * 0.2, 75)), atol=1e-6)
    assert not values(prosodic_path(np.zeros(48000, np.float32), 75)).any()


def test_the_prosodic_part_is_causal():
    audio = synthetic_clip(5).audio
    changed = np.concatenate([audio[:32000], 0.9 * audio[32000:]])
    difference = values(prosodic_path(audio, 75)) - values(prosodic_path(changed, 75))
    assert abs(difference[:49]).max() < 0.01 and abs(difference[51:]).max() > abs(difference[:49]).max()


def test_the_same_seed_gives_the_same_path_and_liveliness_scales_it():
    audio = synthetic_clip(1).audio
    once, repeated = (values(head_path(np.random.default_rng(7), audio, FRAMES)) for _ in range(2))
    assert once.tobytes() == repeated.tobytes()
    twice = values(head_path(np.random.default_rng(7), audio, FRAMES, liveliness=2))
    np.testing.assert_allclose(twice, 2 * once)
    assert (once != values(head_path(np.random.default_rng(8), audio, FRAMES))).any()


def test_a_path_can_start_at_rest():
    path = head_path(np.random.default_rng(0), synthetic_clip(1).audio, FRAMES)
    started = path.from_rest()
    assert not values(started)[0].any()
    np.testing.assert_allclose(np.diff(values(started), axis=0), np.diff(values(path), axis=0), atol=1e-12)


def test_a_moved_head_stays_rigid():
    clip = synthetic_clip(2)
    still = np.repeat(clip.landmarks[:1], FRAMES, axis=0)
    moved = move_head(still, head_path(np.random.default_rng(0), clip.audio, FRAMES))

    def distances(frames: np.ndarray) -> np.ndarray:
        return np.linalg.norm(frames[:, :, None] - frames[:, None], axis=-1)

    np.testing.assert_allclose(distances(moved), distances(still), atol=2e-3)
    assert abs(moved - still).max() > 2


def test_a_path_of_zeros_moves_nothing():
    clip = synthetic_clip(2)
    zero = HeadPath(*np.zeros((5, FRAMES)))
    np.testing.assert_allclose(move_head(clip.landmarks, zero), clip.landmarks, atol=1e-4)


def test_directions():
    turned = head_rotations(np.array([0.1, 0, 0]), np.array([0, 0.1, 0]), np.array([0, 0, 0.1]))
    nose, crown = np.array([0, 0, -1.0]), np.array([0, -1.0, 0])
    assert (turned[0] @ nose)[0] < 0 and (turned[1] @ nose)[1] > 0 and (turned[2] @ crown)[0] > 0


def test_a_path_of_another_length_is_refused():
    with pytest.raises(MotionError, match=r"landmarks \[10, 68, 3\]"):
        move_head(np.zeros((9, 68, 3), np.float32), HeadPath(*np.zeros((5, 10))))


def test_pitch_and_loudness_of_a_rising_tone():
    time = np.arange(32000) / 16000
    hz = 110 * 2 ** (time / 2)
    tone = sum(np.sin(2 * np.pi * k * np.cumsum(hz) / 16000) / k for k in range(1, 6))
    tone[:8000] = 0
    found = prosody(tone.astype(np.float32), 50)
    assert not found.voiced[:11].any() and found.voiced[14:49].all()
    np.testing.assert_allclose(np.diff(found.pitch[14:49]), 12 / 2 / 25, atol=0.35)
    assert found.pitch[48] - found.pitch[14] == pytest.approx(12 * 34 / 50, abs=0.4)
    assert not found.loudness[:11].any() and found.loudness[14:49].min() > 0.9
