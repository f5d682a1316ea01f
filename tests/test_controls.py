"""Controls: what each changes and what it leaves, on any face, at any frame rate, whole and in pieces."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headmotion as hm
from headmotion import controls
from headmotion.controls.blinking import blink_times
from headmotion.controls.control import Setting
from headmotion.controls.head_pose import Head, rotation, rotation_vector
from headmotion.controls.ranges import soft_limit
from headmotion.controls.speech_gate import SpeechGate

SHARED = Path(__file__).parents[2] / "shared" / "data"
RATE = 16_000
SKULL = [*range(27, 36), 36, 39, 42, 45]
FACES: list[dict[str, Any]] = [{"type": "landmarks68", "dims": dims} for dims in (2, 3)]

IDENTITIES = [
    controls.scale_head(1.0),
    controls.scale_lips(1.0),
    controls.smooth(0),
    controls.blink(0),
    controls.look_at(0, 0),
]
CHANGES = [
    controls.scale_head(0.4),
    controls.scale_lips(1.5),
    controls.close_silence(),
    controls.smooth(130),
    controls.blink(40, seed=3),
    controls.look_at(20, -10),
    controls.hold_pose(),
    controls.limit(mouth=0.1, yaw=5, pitch=5, roll=5),
]


def by_type(control: object) -> str:
    return type(control).__name__


def neutral(face: dict[str, Any]) -> torch.Tensor:
    return hm.spec_from("representation", face).build().neutral() * 400 + 50  # type: ignore[attr-defined, no-any-return]


def wave(frames: int, fps: Fraction, seed: int) -> torch.Tensor:
    """Slow noise ``[frames]`` of about 1: a sum of sines, so that it is the same curve at every frame rate."""
    rng = np.random.default_rng(seed)
    t = torch.arange(frames).double() / float(fps)
    parts = zip(rng.uniform(0.2, 2.5, 6), rng.uniform(0, 6, 6), rng.normal(0, 0.6, 6), strict=True)
    return sum((a * torch.sin(2 * math.pi * f * t + p) for f, p, a in parts), torch.zeros(frames).double())


def talking(
    face: dict[str, Any] = FACES[0], frames: int = 60, fps: Fraction = Fraction(25), size: float = 1
) -> hm.Motion:
    """A head that turns, comes nearer and goes, and opens its mouth; made in three dimensions, then projected."""
    solid = neutral(FACES[1]).double()
    middle = solid[SKULL].mean(0)
    shape = (solid - middle).repeat(frames, 1, 1)
    opening = 14 * wave(frames, fps, 9).abs()[:, None]
    shape[:, 55:60, 1] += opening
    shape[:, 65:68, 1] += opening
    shape[:, 4:13, 1] += 0.6 * opening
    turn = rotation(size * torch.stack([0.12 * wave(frames, fps, k) for k in range(3)], 1))
    scale = 1 + 0.05 * size * wave(frames, fps, 4)
    shift = size * 20 * torch.stack([wave(frames, fps, 5 + k) for k in range(3)], 1)
    values = scale[:, None, None] * (shape @ turn.mT) + middle + shift[:, None]
    dims = face["dims"]
    return hm.Motion(values[..., :dims].float(), fps, representation=face, reference=neutral(face))


def still_points(values: torch.Tensor) -> torch.Tensor:
    return values[:, SKULL]


def mouth(values: torch.Tensor) -> torch.Tensor:
    """Opening in outer-eye distances."""
    return (values[:, 66] - values[:, 62]).norm(dim=-1) / (values[:, 45] - values[:, 36]).norm(dim=-1)


def speech(
    pattern: str, seconds: float = 1.0, rate: int = RATE, level: float = 0.3, noise: float = 0.001
) -> np.ndarray:
    """A buzz where the pattern has a letter and quiet noise where it has a dash, ``seconds`` each."""
    count = round(seconds * rate)
    t = np.arange(count * len(pattern)) / rate
    buzz = level * np.sign(np.sin(2 * np.pi * 140 * t)) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    on = np.repeat([c != "-" for c in pattern], count)
    room = np.random.default_rng(0).normal(0, noise, len(t))
    return (buzz * on + room).astype(np.float32)


def streamed(control: controls.Control, motion: hm.Motion, heard: np.ndarray, cuts: Sequence[int]) -> torch.Tensor:
    """The frames in pieces; the speech of each piece comes with it, that of 0.2 s ahead."""
    assert motion.reference is not None
    step = control.start(Setting.of(motion))
    bounds = [0, *sorted(min(cut, len(motion)) for cut in cuts), len(motion)]
    samples = [0, *(min(len(heard), int((Fraction(b) / motion.fps + Fraction(1, 5)) * RATE)) for b in bounds[1:-1])]
    samples.append(len(heard))
    out = []
    for piece, ((a, b), (c, d)) in enumerate(zip(itertools.pairwise(bounds), itertools.pairwise(samples), strict=True)):
        out.append(step(motion.values[a:b], heard[c:d], piece == len(bounds) - 2))
    return torch.cat(out)


# One convention


def test_a_name_edits_a_motion_or_makes_the_control() -> None:
    motion = talking()
    expected = controls.ScaleHead(0.5)(motion).values
    assert torch.equal(hm.controls.scale_head(motion, 0.5).values, expected)
    assert torch.equal(hm.controls.scale_head(motion, amount=0.5).values, expected)
    assert torch.equal(partial(hm.controls.scale_head, amount=0.5)(motion).values, expected)
    assert hm.controls.scale_head(0.5) == hm.controls.scale_head(amount=0.5) == controls.ScaleHead(0.5)
    assert hm.controls.smooth(80).lookahead_ms() == 80
    assert "Blinks" in (hm.controls.blink.__doc__ or "")


def test_a_motion_keeps_all_else() -> None:
    motion = talking()
    edited = hm.controls.scale_lips(motion, 0.5)
    assert (edited.fps, edited.frame, edited.units, edited.provenance) == (motion.fps, None, "px", {})
    assert edited.representation == motion.representation and edited.reference is motion.reference
    assert edited.values.dtype == torch.float32 and edited.values.shape == motion.values.shape


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("control", IDENTITIES, ids=by_type)
def test_neutral_numbers_change_nothing(control: controls.Control, face: dict[str, Any]) -> None:
    motion = talking(face)
    assert torch.equal(control(motion).values, motion.values)


def test_ordinary_motion_is_within_the_limits() -> None:
    motion = talking(size=0.5)
    assert (hm.controls.limit(motion).values - motion.values).abs().max() < 1e-3


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("control", CHANGES, ids=by_type)
@given(scale=st.floats(0.01, 30), x=st.floats(-500, 500), y=st.floats(-500, 500))
@settings(max_examples=8)
def test_the_unit_of_length_and_the_place_do_not_matter(
    control: controls.Control, face: dict[str, Any], scale: float, x: float, y: float
) -> None:
    motion = talking(face, frames=25)
    move = torch.tensor([x, y, 0.0][: face["dims"]])
    assert motion.reference is not None
    moved = hm.Motion(
        motion.values * scale + move, motion.fps, representation=face, reference=motion.reference * scale + move
    )
    edited = control(motion, speech("-"), RATE).values * scale + move
    size = float(motion.values.abs().max() * scale + move.abs().max())
    torch.testing.assert_close(control(moved, speech("-"), RATE).values, edited, atol=2e-6 * size + 1e-4, rtol=0)


def test_without_a_reference_the_first_frame_is_rest() -> None:
    motion = talking()
    bare = hm.Motion(motion.values, motion.fps)
    held = hm.controls.hold_pose(bare).values
    assert torch.equal(held[:, SKULL], motion.values[:1, SKULL].expand(60, -1, -1))
    assert len(hm.controls.smooth(hm.Motion(torch.zeros(0, 68, 2), Fraction(25)), 80)) == 0


# The head


@pytest.mark.parametrize("face", FACES, ids=str)
def test_no_amount_of_head_is_a_still_head_whose_lips_move(face: dict[str, Any]) -> None:
    motion, nodding = talking(face, size=0), talking(face)
    still = hm.controls.scale_head(nodding, 0.0)
    assert (still_points(nodding.values) - still_points(motion.values)).norm(dim=-1).max() > 30
    assert (still_points(still.values) - still_points(motion.values)).norm(dim=-1).max() < 1e-2
    torch.testing.assert_close(mouth(still.values), mouth(motion.values), atol=1e-3, rtol=0)
    # What was projected away cannot come back: a lip that moves in depth, too, is off by a little in two dimensions.
    assert (still.values - motion.values).norm(dim=-1).max() < (0.1 if face["dims"] == 3 else 3)


@given(amount=st.floats(0, 3))
@settings(max_examples=20)
def test_the_amount_scales_angle_size_and_shift(amount: float) -> None:
    motion = talking()
    head = Head(Setting.of(motion), "test")
    before = head.find(motion.values.double())
    after = head.find(hm.controls.scale_head(motion, amount).values.double())
    torch.testing.assert_close(rotation_vector(after.turn), amount * rotation_vector(before.turn), atol=1e-3, rtol=0)
    torch.testing.assert_close(after.scale, before.scale**amount, atol=1e-3, rtol=0)
    home = head.rest[SKULL].mean(0)
    torch.testing.assert_close(after.center - home, amount * (before.center - home), atol=1e-2, rtol=0)


@given(vector=st.tuples(*[st.floats(-1.7, 1.7)] * 3))
def test_rotation_vectors_come_back(vector: tuple[float, float, float]) -> None:
    given_ = torch.tensor([vector], dtype=torch.float64)
    torch.testing.assert_close(rotation_vector(rotation(given_)), given_, atol=1e-7, rtol=0)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_hold_pose_holds_exactly(face: dict[str, Any]) -> None:
    motion = talking(face)
    held = hm.controls.hold_pose(motion)
    assert motion.reference is not None
    assert torch.equal(held.values[:, SKULL], motion.reference[SKULL].expand(len(motion), -1, -1))
    assert torch.equal(held.values[:, [0, 16]], motion.reference[[0, 16]].expand(len(motion), -1, -1))
    torch.testing.assert_close(mouth(held.values), mouth(talking(face, size=0).values), atol=1e-3, rtol=0)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_looking_aside_foreshortens(face: dict[str, Any]) -> None:
    motion = talking(face, size=0)
    right, up = hm.controls.look_at(motion, 30, 0).values, hm.controls.look_at(motion, 0, 20).values
    there = motion.values

    def eye(values: torch.Tensor, outer: int, inner: int) -> torch.Tensor:
        return (values[:, outer, 0] - values[:, inner, 0]).abs()

    # The nose leads, the face narrows, and the eye that turns away narrows more.
    assert ((right[:, 30, 0] - right[:, 27, 0]) > (there[:, 30, 0] - there[:, 27, 0]) + 5).all()
    assert ((right[:, 45, 0] - right[:, 36, 0]) < 0.95 * (there[:, 45, 0] - there[:, 36, 0])).all()
    shrunk = [eye(right, *pair) / eye(there, *pair) for pair in ((36, 39), (45, 42))]
    assert (shrunk[1] < shrunk[0] - 0.05).all()
    assert ((up[:, 30, 1] - up[:, 27, 1]) < (there[:, 30, 1] - there[:, 27, 1]) - 5).all()
    pose = Head(Setting.of(motion), "test").find(right.double())
    angles = torch.rad2deg(rotation_vector(pose.turn))
    torch.testing.assert_close(angles, torch.tensor([[0.0, -30.0, 0.0]]).double().expand(60, 3), atol=0.05, rtol=0)


def test_looking_aside_keeps_the_motion_of_the_head() -> None:
    motion = talking()
    aside = hm.controls.look_at(motion, 25, 5)
    back = hm.controls.scale_head(aside, 0)
    torch.testing.assert_close(back.values[:, SKULL], talking(size=0).values[:, SKULL], atol=1e-2, rtol=0)
    steps = [m.values[:, 30].diff(dim=0).norm(dim=-1).mean() for m in (motion, aside)]
    assert 0.7 < steps[1] / steps[0] < 1.4


# The lips


@given(gain=st.floats(0, 3))
@settings(max_examples=20)
def test_the_gain_scales_the_opening_and_leaves_the_head(gain: float) -> None:
    motion = talking()
    edited = hm.controls.scale_lips(motion, gain)
    untouched = [*range(0, 2), *range(15, 48)]
    assert torch.equal(edited.values[:, untouched], motion.values[:, untouched])
    mouths = [
        controls.scale_head(m, 0).values[:, 66, 1] - controls.scale_head(m, 0).values[:, 62, 1]
        for m in (motion, edited)
    ]
    assert motion.reference is not None
    rest = motion.reference[66, 1] - motion.reference[62, 1]
    torch.testing.assert_close(mouths[1] - rest, gain * (mouths[0] - rest), atol=0.02, rtol=0)


def test_lips_do_not_pass_through_one_another() -> None:
    motion = talking(size=0)
    open_mouth = neutral(FACES[0])
    open_mouth[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 8
    edited = hm.controls.scale_lips(hm.Motion(motion.values, 25, reference=open_mouth), 3)  # type: ignore[arg-type]
    gaps = edited.values[:, [67, 66, 65], 1] - edited.values[:, [61, 62, 63], 1]
    assert gaps.min() > -1e-3 and gaps.max() > 20


# Silence


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_the_mouth_closes_in_silence_only(face: dict[str, Any], fps: Fraction) -> None:
    motion = talking(face, frames=int(6 * fps), fps=fps)
    motion.values[:, 65:68, 1] += 6  # never quite closed
    edited = hm.controls.close_silence(motion, (speech("-a-aa-"), RATE))
    t = np.array([float(stamp) for stamp in motion.timestamps()])
    spoken = ((t > 1.0) & (t < 2.0)) | ((t > 3.0) & (t < 5.0))
    silent = (t < 0.8) | ((t > 2.5) & (t < 2.8)) | (t > 5.5)
    assert torch.equal(edited.values[spoken], motion.values[spoken])
    assert motion.reference is not None
    rest = mouth(motion.reference[None])
    assert mouth(motion.values)[silent].mean() > 0.1
    assert (mouth(edited.values)[silent] - rest).abs().max() < 0.01
    assert (mouth(edited.values) <= mouth(motion.values) + 1e-4).all()


def test_a_mouth_that_is_more_closed_than_the_reference_stays_so() -> None:
    motion = talking(size=0)
    smile = neutral(FACES[0])
    smile[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 60
    edited = hm.controls.close_silence(hm.Motion(motion.values, 25, reference=smile), (speech("---"), RATE))  # type: ignore[arg-type]
    assert torch.equal(edited.values, motion.values)


@pytest.mark.parametrize("level", [0.02, 0.1, 0.9])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_threshold_follows_the_recording(level: float, noise: float) -> None:
    heard = speech("-a-a--a", level=level, noise=noise * level)
    gate = SpeechGate(RATE)
    gate.push(heard)
    gate.pad(Fraction(7))
    values = np.array([gate.at(Fraction(k, 50)) for k in range(350)])
    t = np.arange(350) / 50
    for second, letter in enumerate("-a-a--a"):
        inside = (t > second + 0.5) & (t < second + 0.8)
        assert np.all(values[inside] == (letter == "a")), second
    assert np.abs(np.diff(values)).max() < 0.5


@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=8), rate=st.sampled_from([8000, 11_025, RATE, 44_100]))
@settings(max_examples=15)
def test_the_gate_does_not_depend_on_the_chunks(cuts: list[int], rate: int) -> None:
    heard = speech("-a-", rate=rate)
    values = []
    for bounds in ([0, len(heard)], [0, *sorted(min(cut, len(heard)) for cut in cuts), len(heard)]):
        gate = SpeechGate(rate)
        for a, b in itertools.pairwise(bounds):
            gate.push(heard[a:b])
        gate.pad(Fraction(3))
        values.append([gate.at(Fraction(k, 30)) for k in range(90)])
    assert values[0] == values[1]


def test_silence_needs_the_audio() -> None:
    with pytest.raises(hm.AudioError, match=r"close_silence\(motion, audio\)"):
        hm.controls.close_silence(talking())


@pytest.mark.skipif(not (SHARED / "grid_s1").is_dir(), reason="no ../shared/data/grid_s1")
def test_real_speech_is_told_from_real_silence() -> None:
    import csv
    import json

    import soundfile

    with (SHARED / "grid_s1/index.csv").open() as file:
        rows = list(csv.DictReader(file))[::45]
    spoken, silent = [], []
    for row in rows:
        heard, rate = soundfile.read(SHARED / f"grid_s1/{row['id']}.flac", dtype="float32")
        gate = SpeechGate(rate)
        gate.push(heard)
        gate.pad(Fraction(3))
        t = np.arange(75) / 25
        values = np.array([gate.at(Fraction(k, 25)) for k in range(75)])
        words = [(a, b) for a, b, word in json.loads(row["words"]) if word != "sil"]
        spoken.append(values[(t > words[0][0]) & (t < words[-1][1])])
        silent.append(values[t > words[-1][1] + 0.5])
    assert np.concatenate(spoken).mean() > 0.97
    assert np.concatenate(silent).mean() < 0.1


# Smoothing


def test_smoothing_removes_jitter_and_keeps_slow_motion() -> None:
    fps = Fraction(50)
    motion = talking(frames=200, fps=fps)
    jitter = torch.from_numpy(np.random.default_rng(0).normal(0, 1, motion.values.shape)).float()
    alone = hm.controls.smooth(motion, 120).values
    shaken = hm.controls.smooth(hm.Motion(motion.values + jitter, fps), 120).values
    assert (shaken - alone).std() < 0.4
    assert (alone - motion.values).std() < 0.15 * (motion.values - motion.values.mean(0)).std()
    constant = hm.Motion(torch.ones(9, 68, 2), fps)
    torch.testing.assert_close(hm.controls.smooth(constant, 500).values, constant.values)


def test_smoothing_fits_any_representation() -> None:
    spec = {"type": "keypoints", "points": 10, "jacobians": True}
    motion = hm.Motion(torch.rand(30, 10, 6), Fraction(25), representation=spec)
    edited = hm.controls.smooth(motion, 100)
    expected = (motion.values[:-2] + 2 * motion.values[1:-1] + motion.values[2:]) / 4
    torch.testing.assert_close(hm.controls.smooth(motion, 80).values[1:-1], expected)
    assert edited.values.std() < motion.values.std()


# Blinks


@given(rate=st.floats(1, 60), seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_blinks_come_at_the_rate_and_never_overlap(rate: float, seed: int) -> None:
    times = list(itertools.takewhile(lambda t: t < 60 * 2000 / rate, blink_times(rate, seed)))
    assert 1850 < len(times) < 2150
    assert np.diff(times).min() > 0.31


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_blinks_close_the_eyes_and_nothing_else(face: dict[str, Any], fps: Fraction) -> None:
    motion = talking(face, frames=int(60 * fps), fps=fps)
    edited = hm.controls.blink(motion, 20, seed=1)
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    others = [point for point in range(68) if point not in upper]
    assert torch.equal(edited.values[:, others], motion.values[:, others])
    ratio = (edited.values[:, upper] - edited.values[:, lower]).norm(dim=-1)
    ratio = (ratio / (motion.values[:, upper] - motion.values[:, lower]).norm(dim=-1)).mean(1)
    shut = (ratio < 0.1).int()
    expected = [t for t in itertools.takewhile(lambda t: t < 59.8, blink_times(20, 1))]
    assert int((shut.diff() == 1).sum()) == len(expected) > 10
    assert (ratio > 0.999).float().mean() > 0.8
    assert not torch.equal(edited.values, hm.controls.blink(motion, 20, seed=2).values)


# Limits


def test_limits_hold_and_are_reached_smoothly() -> None:
    limit = torch.tensor(3.0).double()
    values = torch.linspace(-20, 20, 4001).double()
    limited = soft_limit(values, limit)
    assert (limited.abs() <= limit).all() and torch.equal(limited[values.abs() <= 2], values[values.abs() <= 2])
    slope = limited.diff() / values.diff()
    assert slope.min() >= 0 and slope.max() < 1 + 1e-9 and slope.diff().abs().max() < 0.03


@pytest.mark.parametrize("face", FACES, ids=str)
def test_wild_motion_is_limited(face: dict[str, Any]) -> None:
    motion = hm.controls.scale_lips(talking(face, size=4), 6)
    edited = hm.controls.limit(motion)
    head = Head(Setting.of(motion), "test")

    def angles(values: torch.Tensor) -> torch.Tensor:
        return torch.rad2deg(rotation_vector(head.find(values.double()).turn)).abs().max(0).values

    bounds = torch.tensor([40.0, 65.0, 40.0]).double() + 1e-3
    assert (angles(motion.values) > bounds).any() and (angles(edited.values) <= bounds).all()
    home = hm.controls.scale_head(edited, 0)
    assert mouth(motion.values).max() > 0.7 and mouth(home.values).max() < 0.62


def test_lids_do_not_cross() -> None:
    motion = talking(size=0)
    motion.values[:, [37, 38], 1] = motion.values[:, [41, 40], 1] + 5
    motion.values[:, [43, 44], 1] -= 100
    edited = hm.controls.limit(motion).values
    assert (edited[:, [41, 40], 1] - edited[:, [37, 38], 1]).abs().max() < 1e-2
    width = edited[:, 45, 0] - edited[:, 36, 0]
    assert ((edited[:, [47, 46], 1] - edited[:, [43, 44], 1]) / width[:, None] < 0.2001).all()


# Pieces and rates


@pytest.mark.parametrize("control", [*IDENTITIES, *CHANGES], ids=by_type)
@given(cuts=st.lists(st.integers(0, 60), max_size=12), face=st.sampled_from(FACES))
@settings(max_examples=12)
def test_pieces_give_the_frames_of_the_whole(control: controls.Control, face: dict[str, Any], cuts: list[int]) -> None:
    motion, heard = talking(face), speech("-a-", seconds=0.8)
    whole = control(motion, heard, RATE).values
    torch.testing.assert_close(streamed(control, motion, heard, cuts), whole, atol=1e-3, rtol=0)


@pytest.mark.parametrize("control", CHANGES, ids=by_type)
def test_frames_come_out_within_the_stated_lookahead(control: controls.Control) -> None:
    motion, heard = talking(frames=50), speech("-a", seconds=1.0)
    ahead = Fraction(3, 25)  # what the frames themselves wait for
    step, out, late = control.start(Setting.of(motion)), 0, 0.0
    for k in range(46):
        sent = [int((Fraction(k + j, 25) + ahead) * RATE) for j in (0, 1)]
        out += len(step(motion.values[k : k + 1], heard[sent[0] if k else 0 : sent[1]], False))
        late = max(late, sent[1] / RATE - out / 25)
    assert 1000 * late < control.lookahead_ms(float(1000 * ahead)) + 40


@pytest.mark.parametrize("control", [c for c in CHANGES if not isinstance(c, controls.Smooth)], ids=by_type)
def test_the_frame_rate_does_not_matter(control: controls.Control) -> None:
    heard = speech("-a-")
    slow = control(talking(frames=75, fps=Fraction(25)), heard, RATE).values
    fast = control(talking(frames=225, fps=Fraction(75)), heard, RATE).values
    torch.testing.assert_close(fast[::3], slow, atol=2e-3, rtol=0)


def test_smoothing_is_nearly_the_same_at_any_frame_rate() -> None:
    slow = hm.controls.smooth(talking(frames=75, fps=Fraction(25)), 160).values
    fast = hm.controls.smooth(talking(frames=225, fps=Fraction(75)), 160).values
    assert (fast[::3] - slow)[9:-9].abs().max() < 1


# In a pipeline


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    small = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
    return hm.build({"generator": small}, device="cpu")


def add_one(motion: hm.Motion) -> hm.Motion:
    return hm.Motion(motion.values + 1, motion.fps, reference=motion.reference)


CHAINS: dict[str, list[Callable[..., hm.Motion]]] = {
    "all": CHANGES,  # type: ignore[dict-item]
    "a plain function between": [controls.smooth(60), add_one, controls.close_silence(), controls.blink(30)],
    "partial": [partial(controls.smooth, window_ms=90)],
}


@pytest.mark.parametrize("chain", CHAINS)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=6), fps=st.sampled_from([None, 30]))
@settings(max_examples=5)
def test_a_session_gives_the_frames_of_generate(
    pipe: hm.Pipeline, chain: str, cuts: list[int], fps: int | None
) -> None:
    heard, face = speech("-a-", seconds=0.6), neutral(FACES[0])
    whole = pipe.generate((heard, RATE), face, fps=fps, controls=CHAINS[chain])
    later = pipe.generate((heard, RATE), face, fps=fps)
    for control in CHAINS[chain]:
        known = (heard, RATE) if isinstance(control, controls.Control) else ()
        later = control(later, *known)
    torch.testing.assert_close(whole.values, later.values, atol=1e-3, rtol=0)
    session = pipe.stream(face, fps=fps, controls=CHAINS[chain])
    bounds = [0, *sorted(min(cut, len(heard)) for cut in cuts), len(heard)]
    pieces = [session.push(heard[a:b]) for a, b in itertools.pairwise(bounds)]
    live = hm.Motion.concatenate([*pieces, session.flush()])
    torch.testing.assert_close(live.values, whole.values, atol=1e-2, rtol=0)


def test_a_plain_function_may_change_the_rate(pipe: hm.Pipeline) -> None:
    motion = pipe.generate((speech("a"), RATE), controls=[lambda m: m.resample(50)])
    assert (motion.fps, len(motion)) == (50, 50)


def test_the_pipeline_states_the_lookahead(pipe: hm.Pipeline) -> None:
    alone = pipe.lookahead_ms()
    assert alone is not None and alone > 170
    assert pipe.lookahead_ms(controls=[controls.blink(9), controls.close_silence()]) == alone
    assert pipe.lookahead_ms(controls=[controls.smooth(90), controls.smooth(10)]) == alone + 100
    assert pipe.lookahead_ms(controls=[add_one]) is None


def test_by_name() -> None:
    chosen = hm.controls.by_name(head=0.5, lips=1.2, blink=12, smooth=80, look_at=(10, 5), close_silence=True, seed=4)
    assert hm.controls.by_name() == []
    assert [type(control).__name__ for control in chosen] == [
        "Smooth",
        "ScaleLips",
        "CloseSilence",
        "ScaleHead",
        "LookAt",
        "Blink",
    ]
    assert controls.Blink(12, 4) in chosen


# What cannot be done


@pytest.mark.parametrize("control", [c for c in CHANGES if not isinstance(c, controls.Smooth)], ids=by_type)
@pytest.mark.parametrize(
    "spec",
    [
        {"type": "keypoints", "points": 10},
        {"type": "joints", "names": ["hip", "neck"], "parents": [-1, 0]},
    ],
    ids=lambda spec: spec["type"],
)
def test_a_representation_without_the_parts_is_one_clear_error(control: controls.Control, spec: dict[str, Any]) -> None:
    points = hm.spec_from("representation", spec).build().neutral()  # type: ignore[attr-defined]
    motion = hm.Motion(points[None], Fraction(25), representation=spec)
    with pytest.raises(hm.MotionError, match=r"with the (group|opening)s? '") as caught:
        control(motion, speech("a"), RATE)
    assert spec["type"] in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: controls.scale_head(-1),
        lambda: controls.scale_lips(math.nan),
        lambda: controls.smooth(math.inf),
        lambda: controls.blink(1e6),
        lambda: controls.look_at(120, 0),
        lambda: controls.limit(mouth=0),
        lambda: controls.scale_head("0.5"),  # type: ignore[call-overload]
    ],
)
def test_numbers_out_of_range_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(hm.SpecError, match="a number"):
        make()


def test_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(hm.MotionError, match="68, 2"):
        hm.controls.scale_head(hm.Motion(torch.zeros(3, 68, 3), Fraction(25)), 0.5)
    broken = talking()
    broken.values[3, 30] = math.nan
    with pytest.raises(hm.MotionError, match="finite"):
        hm.controls.scale_head(broken, 0.5)
    with pytest.raises(hm.MotionError, match="apart"):
        hm.controls.scale_head(hm.Motion(torch.zeros(3, 68, 2), Fraction(25)), 0.5)
