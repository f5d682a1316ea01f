import io
import json
import pickle
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headmotion.core.errors import MotionError
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.core.motion import Motion

VALUES = hnp.arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.floats(width=32, allow_nan=False))


def ramp(frames=6, fps=25):
    return Motion(torch.arange(frames * 4.0).view(frames, 2, 2), fps)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@given(values=VALUES)
def test_read_back_bit_for_bit(tmp_path_factory, suffix, values):
    path = tmp_path_factory.mktemp("motion") / f"m{suffix}"
    motion = Motion(
        torch.from_numpy(values),
        Fraction(30000, 1001),
        representation={"type": "joints", "names": ["a", "b"]},
        frame=UnitSquare(1 / 3, -0.0, 1e-9),
        units="unit",
        reference=torch.from_numpy(values[0]),
        provenance={"seed": 3},
    )
    assert motion.save(path) == path
    loaded = Motion.load(path)
    assert np.array_equal(loaded.values.numpy().view(np.int32), values.view(np.int32))
    assert np.array_equal(loaded.reference.numpy().view(np.int32), values[0].view(np.int32))
    for name in ("fps", "representation", "frame", "units", "provenance"):
        assert getattr(loaded, name) == getattr(motion, name)


def golden():
    """What the files ``motion-format-1`` hold; made once, by `Motion.save` of version 0.1.0."""
    values = torch.arange(-12, 12).view(4, 3, 2) / 7
    values[0, 0] = torch.tensor([-0.0, float("inf")])
    values[1, 1] = torch.tensor([1e-45, 3.4028235e38])
    return Motion(
        values,
        Fraction(30000, 1001),
        representation={"type": "joints", "names": ["hip", "knee", "foot"]},
        frame=UnitSquare(1 / 3, -0.0, 1e-9),
        units="unit",
        reference=values[2],
        provenance={"model": "é", "seed": 3, "synthetic": True},
    )


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_the_first_released_format_still_loads(suffix):
    stored, made = Motion.load(Path(__file__).with_name(f"motion-format-1{suffix}")), golden()
    assert np.array_equal(stored.values.numpy().view(np.int32), made.values.numpy().view(np.int32))
    assert np.array_equal(stored.reference.numpy().view(np.int32), made.reference.numpy().view(np.int32))
    for name in ("fps", "representation", "frame", "units", "provenance"):
        assert getattr(stored, name) == getattr(made, name)
    assert np.signbit(stored.frame.y)


def test_npz_holds_three_plain_arrays(tmp_path):
    path = ramp(fps=29.97).save(tmp_path / "m.npz")
    with np.load(path, allow_pickle=False) as stored:
        assert sorted(stored) == ["fps", "meta", "values"]
        assert str(stored["fps"]) == "30000/1001"
        assert json.loads(str(stored["meta"]))["units"] == "px"


def test_name_must_say_the_format(tmp_path):
    with pytest.raises(MotionError, match=r"\.npz, \.json, "):
        ramp().save(tmp_path / "m.txt")


def test_capitals_are_the_same_suffix(tmp_path):
    for suffix in (".NPZ", ".Json"):
        path = ramp().save(tmp_path / f"m{suffix}")
        assert torch.equal(Motion.load(path).values, ramp().values)


def damaged_files():
    buffer = io.BytesIO()
    np.savez(buffer, values=np.zeros((2, 2, 2), np.float32), fps=np.array("25"), meta=np.array("{}"))
    good = buffer.getvalue()
    flipped = bytearray(good)
    flipped[100:140] = bytes(40)
    objects = io.BytesIO()
    np.savez(objects, values=np.array([{}], dtype=object), fps=np.array("25"), meta=np.array("{}"))
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999, 999)}\n"
        archive.writestr("values.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    meta = b'"meta": {"representation": {}, "units": "px", "provenance": {}}}'
    return {
        "empty.npz": b"",
        "cut.npz": good[: len(good) // 2],
        "flipped.npz": bytes(flipped),
        "no-meta.npz": good,
        "pickled-array.npz": objects.getvalue(),
        "pickle.npz": pickle.dumps({"values": [1.0]}),
        "bare.npz": array.getvalue(),
        "huge.npz": bomb.getvalue(),
        "text.json": b"not json",
        "binary.json": b"\xff\xfe\x00",
        "list.json": b"[1, 2]",
        "deep.json": b"[" * 100_000,
        "ragged.json": b'{"values": [[[1, 2]], [[1]]], "fps": "25", "meta": {}}',
        "rate.json": b'{"values": [[[1, 2]]], "fps": "1/0", ' + meta,
        "flat.json": b'{"values": [1, 2], "fps": "25", ' + meta,
    }


@pytest.mark.parametrize(("name", "content"), damaged_files().items(), ids=list(damaged_files()))
def test_damaged_file_is_one_clear_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MotionError) as caught:
        Motion.load(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"meta": []}, "expected fields by name, got [] in"),
        ({"meta": 5}, "expected fields by name, got 5 in"),
        ({"meta": {"representation": {}, "units": 3, "provenance": {}}}, "expected units: 'px' or 'unit', got 3 in"),
        (
            {"meta": {"representation": {}, "units": "px", "provenance": {}}},
            "a representation with its 'type', got {} in",
        ),
        ({"values": [[1.0, 2.0]]}, "expected frames [T, P, D], got the shape [1, 2] in"),
        ({"values": [[[1.0, 2.0], [1.0]]]}, "m.json (rows of different lengths);"),
        ({"values": [[[1.0, "two"]]]}, "m.json (text instead of numbers);"),
        ({"meta": {"representation": 5, "units": "px", "provenance": {}}}, "representation: values by name, got 5 in"),
        ({"values": [[[1.0, True]]]}, "expected numbers, got true or false among them in"),
        *(
            (
                {"meta": {"representation": {}, "units": "px", "provenance": {}, "reference": pose}},
                f"expected a pose [1, 2], as the frames are, got the shape {shape} in",
            )
            for pose, shape in (([], [0]), ([[1.0]], [1, 1]), ([[1.0, 2.0]] * 2, [2, 2]))
        ),
    ],
)
def test_odd_content_is_named_in_our_words(tmp_path, content, message):
    meta = {"representation": {}, "units": "px", "provenance": {}}
    (tmp_path / "m.json").write_text(json.dumps({"values": [[[1.0, 2.0]]], "fps": "25", "meta": meta} | content))
    with pytest.raises(MotionError) as caught:
        Motion.load(tmp_path / "m.json")
    assert message in str(caught.value) and str(caught.value).endswith("; write it again with Motion.save")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.json", b"", "m.json (an empty file)"),
        ("m.json", b"[1,\n2", "m.json (no JSON from line 2, letter 2 on)"),
        ("m.json", b'{"fps": "25", "fps": "30"}', "m.json (the key 'fps' twice)"),
        ("m.npz", b"", "no zip archive, as an .npz is"),
    ],
)
def test_damage_is_named_in_our_words(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MotionError) as caught:
        Motion.load(tmp_path / name)
    assert message in str(caught.value)


@pytest.mark.parametrize("step", [-1, 0, 2])
def test_a_range_has_consecutive_frames(step):
    with pytest.raises(MotionError, match=f"consecutive frames.*, got a step of {step}; motion.resample"):
        ramp()[::step]
    assert len(ramp()[::1]) == 6


def test_only_like_motions_are_joined():
    other = Motion(torch.zeros(2, 3, 2), 25)
    for motion in (other, ramp(fps=30), Motion(ramp().values, 25, units="unit")):
        with pytest.raises(MotionError, match="motions like the first"):
            Motion.concatenate([ramp(), motion])


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("file/a.npz", "file/a.json"):
        with pytest.raises(MotionError, match="a file that can be written"):
            ramp().save(tmp_path / name)


def test_what_is_not_finite_is_not_converted():
    with pytest.raises(MotionError, match="finite numbers, got NaN"):
        Motion(torch.full((2, 68, 2), torch.nan), 25, {"type": "landmarks68"}).to("blendshapes")


def test_missing_file(tmp_path):
    with pytest.raises(MotionError, match="an existing file"):
        Motion.load(tmp_path / "none.npz")


@pytest.mark.parametrize("values", [torch.zeros(3, 4), torch.zeros(2, 2, 2, dtype=torch.int64), np.zeros((1, 2))])
def test_values_must_be_frames(values):
    with pytest.raises(MotionError, match="T, P, D"):
        Motion(values, 25)


def test_time():
    motion = ramp(6, 29.97)
    assert len(motion) == 6
    assert motion.duration == Fraction(6006, 30000)
    assert motion.timestamps()[-1] == Fraction(5005, 30000)
    assert torch.equal(motion[2:4].values, motion.values[2:4])


def test_resample_keeps_duration_and_all_else():
    motion = Motion(ramp(25).values, 25, reference=torch.ones(2, 2), units="unit", frame=UnitSquare(1, 2, 3))
    faster = motion.resample(30)
    assert (len(faster), faster.fps, faster.frame, faster.units) == (30, 30, motion.frame, "unit")
    assert torch.equal(faster.values[::6], motion.values[::5])
    assert len(motion.resample(30, frames=31)) == 31


def test_concatenate_undoes_slicing():
    motion = ramp()
    assert torch.equal(Motion.concatenate([motion[:2], motion[2:2], motion[2:]]).values, motion.values)
    with pytest.raises(MotionError, match="at least one motion"):
        Motion.concatenate([])


def test_summary_is_json():
    described = json.loads(json.dumps(ramp(fps=29.97).summary()))
    assert [described[key] for key in ("frames", "points", "dims")] == [6, 2, 2]
    assert described["fps"] == "30000/1001"
    assert described["seconds"] == pytest.approx(0.2002)
