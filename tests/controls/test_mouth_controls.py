"""Lips wherever the head is, and a mouth that closes in silence only."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import FACES, RATE, SHARED, mouth, neutral, speech, talking

import headmotion as hm
from headmotion import controls
from headmotion.controls.speech_gate import SpeechGate

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


def test_a_mouth_that_is_more_closed_than_the_reference_does_not_change() -> None:
    motion = talking(size=0)
    smile = neutral(FACES[0])
    smile[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 60
    edited = hm.controls.close_silence(hm.Motion(motion.values, 25, reference=smile), (speech("---"), RATE))  # type: ignore[arg-type]
    assert torch.equal(edited.values, motion.values)


@pytest.mark.parametrize("level", [0.02, 0.1, 0.9])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_threshold_follows_the_recording(level: float, noise: float) -> None:
    audio = speech("-a-a--a", level=level, noise=noise * level)
    gate = SpeechGate(RATE)
    gate.push(audio)
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
    audio = speech("-a-", rate=rate)
    values = []
    for bounds in ([0, len(audio)], [0, *sorted(min(cut, len(audio)) for cut in cuts), len(audio)]):
        gate = SpeechGate(rate)
        for a, b in itertools.pairwise(bounds):
            gate.push(audio[a:b])
        gate.pad(Fraction(3))
        values.append([gate.at(Fraction(k, 30)) for k in range(90)])
    assert values[0] == values[1]


def test_silence_needs_the_audio() -> None:
    with pytest.raises(hm.AudioError, match="call close_silence with audio=audio"):
        hm.controls.close_silence(talking())


@pytest.mark.skipif(not (SHARED / "grid_s1").is_dir(), reason="no ../shared/data/grid_s1")
def test_real_speech_and_real_silence_are_distinguished() -> None:
    with (SHARED / "grid_s1/index.csv").open() as file:
        rows = list(csv.DictReader(file))[::45]
    spoken, silent = [], []
    for row in rows:
        audio, rate = soundfile.read(SHARED / f"grid_s1/{row['id']}.flac", dtype="float32")
        gate = SpeechGate(rate)
        gate.push(audio)
        gate.pad(Fraction(3))
        t = np.arange(75) / 25
        values = np.array([gate.at(Fraction(k, 25)) for k in range(75)])
        words = [(a, b) for a, b, word in json.loads(row["words"]) if word != "sil"]
        spoken.append(values[(t > words[0][0]) & (t < words[-1][1])])
        silent.append(values[t > words[-1][1] + 0.5])
    assert np.concatenate(spoken).mean() > 0.97
    assert np.concatenate(silent).mean() < 0.1


def test_one_group_moves_less_and_all_else_stays() -> None:
    motion = talking()
    noise = torch.randn(motion.values.shape, generator=torch.Generator().manual_seed(0))
    motion = replace(motion, values=motion.values + noise)
    brows = list(motion.build_representation().groups["brows"])
    others = [point for point in range(68) if point not in brows]
    edited = hm.controls.scale_group(motion, "brows", 0.0)
    assert torch.equal(edited.values[:, others], motion.values[:, others])
    assert not torch.equal(edited.values[:, brows], motion.values[:, brows])
    assert torch.equal(hm.controls.scale_group(motion, "brows").values, motion.values)
    with pytest.raises(hm.MotionError, match="a group out of"):
        hm.controls.scale_group(motion, "ears", 0.5)
    with pytest.raises(hm.MotionError, match="weights"):
        hm.controls.scale_group(motion, "brows", offset=0.1)


def test_a_blend_shape_gets_gain_offset_and_limits() -> None:
    weights = torch.linspace(0, 1, 52)[None, :, None].repeat(3, 1, 1)
    motion = hm.Motion(weights, Fraction(25), {"type": "blendshapes"}, reference=torch.zeros(52, 1))
    row = motion.build_representation().point_names.index("jawOpen")
    value = float(motion.values[0, row, 0])
    edited = hm.controls.scale_group(motion, "jawOpen", 2.0, offset=-0.1, high=0.5)
    assert float(edited.values[0, row, 0]) == pytest.approx(min(2 * value - 0.1, 0.5))
    with pytest.raises(hm.SpecError, match="low of at most high"):
        hm.controls.scale_group("jawOpen", low=1.0, high=0.0)
