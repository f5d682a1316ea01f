"""Gestures and keypoints that go with synthetic speech: what is known of them is in what is stored."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.spatial.transform import Rotation

from headmotion.cli import cli
from headmotion.core.errors import CorpusError
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.body import joint_rotations, skeleton
from headmotion.data.synthetic.face_keypoints import NEIGHBORHOODS, keypoint_clip, keypoints_spec, to_keypoints
from headmotion.data.synthetic.gestures import gesture_clip
from headmotion.data.synthetic.kinds import KINDS, write_synthetic_shards
from headmotion.data.synthetic.talking_faces import synthetic_clip

JOINTS = skeleton().build()
NAMES = JOINTS.spec.names  # type: ignore[attr-defined]


def positions_of(clip):
    places = JOINTS.positions(torch.from_numpy(clip.landmarks).double()).numpy()
    return {name: places[:, joint] for joint, name in enumerate(NAMES)} | {"skull": places[:, len(NAMES)]}


def lag(one, other, reach=12):
    """Frames by which ``other`` follows ``one``, and the correlation there."""
    one, other = ((x - x.mean()) / x.std() for x in (one, other))
    shifts = range(-reach, reach + 1)
    found = [np.mean(one[max(0, -s) : len(one) - max(0, s)] * other[max(0, s) : len(one) + min(0, s)]) for s in shifts]
    return shifts[int(np.argmax(found))], max(found)


def test_the_same_arguments_give_the_same_clip() -> None:
    first, repeated, different = gesture_clip(3, 1.5), gesture_clip(3, 1.5), gesture_clip(4, 1.5)
    assert np.array_equal(first.landmarks, repeated.landmarks) and np.array_equal(first.audio, repeated.audio)
    assert first.landmarks.shape == different.landmarks.shape == (38, 14, 6) and len(first.audio) == 38 * 640
    assert not np.array_equal(first.landmarks, different.landmarks)
    with pytest.raises(CorpusError, match="one second"):
        gesture_clip(0, 0.5)


def test_the_speech_is_that_of_the_face() -> None:
    face, body, points = synthetic_clip(5, 2.0), gesture_clip(5, 2.0), keypoint_clip(5, 2.0)
    assert np.array_equal(face.audio, body.audio) and np.array_equal(face.audio, points.audio)


def test_a_body_sits_upright_and_faces_the_viewer() -> None:
    for seed in range(5):
        positions = positions_of(gesture_clip(seed, 2.0))
        assert (positions["skull"][:, 1] < positions["Chest"][:, 1]).all() and (positions["Chest"][:, 1] < 220).all()
        # The person's left is the viewer's right.
        assert (positions["LeftArm"][:, 0] > positions["RightArm"][:, 0]).all()
        assert (positions["LeftForeArm"][:, 1] > positions["LeftArm"][:, 1]).all()
        assert (positions["LeftHand"][:, 2] < positions["LeftForeArm"][:, 2]).all()  # bent towards the viewer
        for position in positions.values():
            assert (position[:, :2] > 0).all() and (position[:, :2] < 256).all()


def test_bones_keep_their_length() -> None:
    clip = gesture_clip(2, 2.0)
    positions, size = positions_of(clip), clip.landmarks[0, 0, 3] / JOINTS.size
    for joint, parent in enumerate(JOINTS.spec.parents):  # type: ignore[attr-defined]
        if parent >= 0:
            length = np.linalg.norm(positions[NAMES[joint]] - positions[NAMES[parent]], axis=1)
            np.testing.assert_allclose(length, size * np.linalg.norm(JOINTS.spec.offsets[joint]), rtol=1e-5)  # type: ignore[attr-defined]


def test_stored_rotations_are_the_known_ones() -> None:
    clip = gesture_clip(7, 2.0)
    turns = JOINTS.rotations(torch.from_numpy(clip.landmarks).double()).numpy()
    known = joint_rotations(clip.body_motion.angles)
    world = [Rotation.from_matrix(JOINTS.view.numpy() @ known[:, 0])]
    for joint, parent in enumerate(JOINTS.spec.parents[1:], start=1):  # type: ignore[attr-defined]
        world.append(world[parent] * Rotation.from_matrix(known[:, joint]))
    angles = [(Rotation.from_matrix(turns[:, j]).inv() * each).magnitude() for j, each in enumerate(world)]
    assert np.degrees(angles).max() < 2.0 and np.degrees(angles).mean() < 0.6  # noise of 0.15 degrees a joint


def test_hands_and_head_follow_the_accents() -> None:
    """Hands are up before the accents and the head nods on them, in all speakers alike."""
    hands, nods, accents = [], [], []
    for seed in range(8):
        clip = gesture_clip(seed, 6.0)
        positions = positions_of(clip)
        accent = clip.script.accent[::8][: len(clip.landmarks)]
        active = clip.body_motion.hands
        raised = [(positions[f"{side}Arm"] - positions[f"{side}Hand"])[:, 1] for side in ("Left", "Right")]
        height = (np.stack(raised, axis=1) * active).sum(axis=1)
        drop = (positions["Head"] - positions["skull"])[:, 2]  # towards the viewer
        drop = drop - np.convolve(np.pad(drop, 12, mode="edge"), np.ones(25) / 25, mode="valid")  # posture is slower
        hands.append((height - height.mean()) / height.std())
        nods.append((drop - drop.mean()) / drop.std())
        accents.append((accent - accent.mean()) / accent.std())
    shift, strength = lag(np.concatenate(accents), np.concatenate(hands))
    assert -6 <= shift <= -3 and strength > 0.4
    shift, strength = lag(np.concatenate(accents), np.concatenate(nods))
    assert abs(shift) <= 1 and strength > 0.4


def test_keypoints_move_rigidly_and_the_mouth_moves_them() -> None:
    rng = np.random.default_rng(0)
    face = resolve_spec("representation", "landmarks68").build().neutral().numpy().astype(float) * 100
    turn, shift = rng.normal(size=(2, 2)), rng.normal(size=2) * 50
    still, moved = (
        to_keypoints(face[None], face / 70)[0],
        to_keypoints(np.stack([face, face @ turn.T + shift]), face / 70)[1],
    )
    np.testing.assert_allclose(still[:, 2:] / 128, np.tile([1, 0, 0, 1], (10, 1)), atol=1e-9)
    np.testing.assert_allclose(moved[:, :2], still[:, :2] @ turn.T + shift, atol=1e-9)
    # Jacobians of wide neighborhoods follow any linear map; stiffness, for the thin ones' sake, holds a little back.
    expected = (turn @ still[:, 2:].reshape(-1, 2, 2)).reshape(-1, 4)
    assert np.abs(moved[0, 2:] - expected[0]).max() < 0.3 * np.abs(expected[0] - still[0, 2:]).max()
    clip = keypoint_clip(1, 4.0, clean=True)
    gap = clip.landmarks[:, 8, 1] - clip.landmarks[:, 7, 1]
    assert lag(clip.face_motion.opening, gap)[0] == 0 and np.corrcoef(clip.face_motion.opening, gap)[0, 1] > 0.8
    jacobian = clip.landmarks[:, 8, 5]  # of the lower lip, downwards
    assert np.corrcoef(clip.face_motion.opening, jacobian)[0, 1] > 0.8


def test_keypoints_fit_their_representation() -> None:
    built = keypoints_spec().build()
    neutral = built.neutral()
    assert neutral.shape == (10, 6) and len(NEIGHBORHOODS) == 10
    torch.testing.assert_close(built.flip(neutral)[:, :2], neutral[:, :2], atol=2e-3, rtol=0)
    clip = keypoint_clip(1, 1.0)
    unit = built.normalize(torch.from_numpy(clip.landmarks), built.frame_of(torch.from_numpy(clip.landmarks[:1])))
    scale = float(neutral[3:5, 0].diff() / unit[0, 3:5, 0].diff())
    assert 0.6 < float(scale * unit[0, 0, 2] / neutral[0, 2]) < 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_corpora_name_their_representation(kind: str, tmp_path: Path) -> None:
    folder = write_synthetic_shards(tmp_path / kind, kind, clips=2, seconds=1.0, clips_per_speaker=1, val_every=2)
    described = json.loads((folder / "corpus.json").read_text())["representation"]
    built = resolve_spec("representation", described).build()
    clips = list(open_corpus(folder))
    assert [clip.split for clip in clips] == ["train", "val"]
    assert clips[0].landmarks.shape == (25, built.points, built.dims)


def test_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="faces, gestures, keypoints"):
        write_synthetic_shards(tmp_path / "a", "hands")


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner()
    done = run.invoke(cli, ["synthesize", "--kind", "gestures", "--clips", "1", "-o", str(tmp_path / "a")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "a" / "corpus.json").read_text())["representation"]["type"] == "joints"
    refused = run.invoke(cli, ["synthesize", "--kind", "faces", "--languages", "de", "-o", str(tmp_path / "b")])
    assert refused.exit_code == 2 and "for the kind 'spoken'" in refused.output
    assert not (tmp_path / "b").exists()


def test_the_same_call_again_finds_its_corpus(tmp_path: Path) -> None:
    """As after a kill when the corpus has just appeared; another corpus stays as it is."""
    folder = write_synthetic_shards(tmp_path / "c", "faces", clips=1, seconds=1.0)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_synthetic_shards(tmp_path / "c", "faces", clips=1, seconds=1.0) == folder
    with pytest.raises(CorpusError, match="is a corpus already"):
        write_synthetic_shards(tmp_path / "c", "faces", clips=1, seconds=1.0, seed=1)
    (folder / "corpus.json").unlink()
    with pytest.raises(CorpusError, match="of an unfinished one"):
        write_synthetic_shards(tmp_path / "c", "faces", clips=1, seconds=1.0)
    assert {path.name for path in before} >= {path.name for path in folder.rglob("*")}
