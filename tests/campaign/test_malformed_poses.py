"""Landmark files and motion files made wrong by hand, and odd ones that are right."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from judge import Judge

from benchmarks.stress.good_files import landmarks, motion

Write = Callable[[Path], object]
POSE = landmarks()


def arrays(**values: npt.ArrayLike) -> Write:
    """An ``.npz`` of whatever arrays, pickled objects included."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **{name: np.asarray(value) for name, value in values.items()})  # type: ignore[arg-type]

    return write


def raw(name: str, descr: str, shape: str, data: bytes = b"", declared: int | None = None) -> Write:
    """An ``.npz`` with one array whose header says whatever one likes."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(f"{name}.npy", array)
        if declared is not None:  # the unpacked size, in the local header and in the directory
            content = bytearray(path.read_bytes())
            for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
                at = content.index(mark) + offset
                content[at : at + 4] = struct.pack("<I", declared)
            path.write_bytes(content)

    return write


def moved(index: Any, value: float) -> npt.NDArray[np.float64]:
    pose = POSE.astype(np.float64)
    pose[index] = value
    return pose


def archive(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)


def encrypted(path: Path) -> None:
    arrays(landmarks=POSE)(path)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)


def packed_otherwise(path: Path) -> None:
    arrays(landmarks=POSE)(path)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        content[content.index(mark) + offset] = 97
    path.write_bytes(content)


def single(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, POSE)


BAD_POSES: dict[str, Write] = {
    "empty.npz": lambda path: path.write_bytes(b""),
    "text.npz": lambda path: path.write_text("48.5 12.25\n" * 68),
    "pickle.npz": lambda path: path.write_bytes(pickle.dumps({"landmarks": [[0.0, 0.0]] * 68})),
    "a single array.npz": single,
    "an empty archive.npz": lambda path: archive(path),
    "an archive of texts.npz": lambda path: archive(path, **{"landmarks.npy": b"text", "values.npy": b""}),
    "encrypted.npz": encrypted,
    "packed otherwise.npz": packed_otherwise,
    "wrong key.npz": arrays(points=POSE),
    "67 points.npz": arrays(landmarks=POSE[:67]),
    "one number per point.npz": arrays(landmarks=POSE[:, :1]),
    "flat.npz": arrays(landmarks=POSE.ravel()),
    "one number.npz": arrays(landmarks=1.0),
    "no frames.npz": arrays(landmarks=np.zeros((0, 68, 2))),
    "four axes.npz": arrays(landmarks=POSE[None, None]),
    "32 axes.npz": arrays(landmarks=POSE.reshape([1] * 30 + [68, -1])),
    "objects.npz": arrays(landmarks=np.array([{}, None], dtype=object)),
    "objects in numbers.npz": arrays(landmarks=POSE.astype(object)),
    "words.npz": arrays(landmarks=np.full((68, 2), "left")),
    "dates.npz": arrays(landmarks=np.zeros((68, 2), "datetime64[s]")),
    "complex.npz": arrays(landmarks=POSE + 1j),
    "fields.npz": arrays(landmarks=np.zeros((68, 2), [("x", "f4"), ("y", "f4")])),
    "raw bytes.npz": arrays(landmarks=np.zeros((68, 2), "V8")),
    "NaN.npz": arrays(landmarks=moved((3, 1), np.nan)),
    "infinity.npz": arrays(landmarks=moved((3, 1), -np.inf)),
    "1e300.npz": arrays(landmarks=moved((3, 1), 1e300)),
    "all in one place.npz": arrays(landmarks=np.full((68, 2), 48.0)),
    "far from the picture.npz": arrays(landmarks=POSE + 1e6),
    "declares 10^15 numbers.npz": raw("landmarks", "'<f8'", "(99999999, 99999, 99)"),
    "declares 3 GB.npz": raw("landmarks", "'<f8'", "(2750000, 68, 2)", bytes(9999), declared=2_992_000_000),
    "declares less than nothing.npz": raw("landmarks", "'<f8'", "(-1, 68, 2)"),
    "code for a type.npz": raw("landmarks", "__import__('os').mkdir('made')", "(68, 2)"),
    "code for a shape.npz": raw("landmarks", "'<f8'", "(68, [2, 3][0])"),
    "open brackets.npz": raw("landmarks", "'<f8'", "(" * 5000),
    "a header of Python 2.npz": raw("landmarks", "'<f8'", "(68L, 2L)", bytes(10)),
    "no such type.npz": raw("landmarks", "'<f9'", "(68, 2)", bytes(9999)),
}


@pytest.mark.parametrize("name", BAD_POSES)
def test_no_pose(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    for needed in ("speech.wav", "face.png", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    BAD_POSES[name](workdir / name)
    judge.refused(*_animate(name))


ODD_POSES: dict[str, Write] = {
    "half precision.npz": arrays(landmarks=POSE.astype(np.float16)),
    "double precision.npz": arrays(landmarks=POSE.astype(np.float64)),
    "whole numbers.npz": arrays(landmarks=POSE.astype(np.uint8)),
    "the other byte order.npz": arrays(landmarks=POSE.astype(">f4")),
    "columns first.npz": arrays(landmarks=np.asfortranarray(POSE)),
    "several poses.npz": arrays(landmarks=np.stack([POSE] * 7)),
    "two coordinates.npz": arrays(landmarks=POSE[:, :2]),
    "a motion.npz": lambda path: motion().save(path),
    "with more beside it.npz": arrays(landmarks=POSE, other=np.array([{}], dtype=object)),
    "mirrored.npz": arrays(landmarks=POSE * np.array([-1, 1, 1]) + np.array([96, 0, 0])),
    "upside down.npz": arrays(landmarks=POSE * np.array([1, -1, 1]) + np.array([0, 96, 0])),
    "on a line.npz": arrays(landmarks=POSE * np.array([1, 0, 0]) + np.array([0, 40, 0])),
    "one point far away.npz": arrays(landmarks=moved((3, 1), 1e6)),
    "hardly apart.npz": arrays(landmarks=(POSE - 48) * 1e-6 + 48),
    "eyes and mouth in one place.npz": arrays(landmarks=np.where(np.arange(68)[:, None] < 36, POSE, 48)),
    "half outside.npz": arrays(landmarks=POSE + np.array([40, 0, 0])),
    "ten times the picture.npz": arrays(landmarks=(POSE - 48) * 10 + 48),
}


@pytest.mark.parametrize("renderer", ["portrait", "skeleton"])
@pytest.mark.parametrize("name", ODD_POSES)
def test_odd_pose(name: str, renderer: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    """Not every one makes a face; none makes more than one line."""
    for needed in ("speech.wav", "face.png", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    ODD_POSES[name](workdir / name)
    judge(*_animate(name), "--renderer", renderer)


def text(**changes: Any) -> Write:
    """A motion file in JSON with some of its values replaced; None takes one away."""

    def write(path: Path) -> None:
        motion().save(path)
        stored = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: value for key, value in stored.items() if value is not None}))

    return write


def meta(**changes: Any) -> Write:
    """The same with some of its ``meta`` replaced."""

    def write(path: Path) -> None:
        motion().save(path)
        stored = json.loads(path.read_text())
        text(meta={key: value for key, value in (stored["meta"] | changes).items() if value is not None})(path)

    return write


def binary(**changes: Any) -> Write:
    """A motion file in NPZ with some of its arrays replaced; None takes one away."""

    def write(path: Path) -> None:
        with np.load(motion().save(path)) as stored:
            every = dict(stored) | changes
        arrays(**{name: value for name, value in every.items() if value is not None})(path)

    return write


FRAME = {"x": 1.0, "y": 2.0, "side": 3.0}

BAD_MOTIONS: dict[str, Write] = {
    "empty.json": lambda path: path.write_bytes(b""),
    "null.json": lambda path: path.write_text("null"),
    "a list.json": lambda path: path.write_text("[]"),
    "a word.json": lambda path: path.write_text('"motion"'),
    "not UTF-8.json": lambda path: path.write_bytes(b'{"values": "\xff\xfe"}'),
    "UTF-16.json": lambda path: path.write_text('{"values": []}', "utf-16"),
    "open brackets.json": lambda path: path.write_text("[" * 200_000),
    "objects in objects.json": lambda path: path.write_text('{"values":' * 50_000),
    "a number of 10^5 digits.json": lambda path: path.write_text('{"values": ' + "9" * 100_000 + "}"),
    "zeros.json": lambda path: path.write_bytes(bytes(5000)),
    "really npz.json": lambda path: motion().save(path.with_suffix(".npz")).rename(path),
    "no values.json": text(values=None),
    "no rate.json": text(fps=None),
    "no meta.json": text(meta=None),
    "words.json": text(values=[[["left", "right"]]]),
    "ragged.json": text(values=[[[1, 2], [3]]]),
    "objects.json": text(values={"0": [1, 2]}),
    "flat.json": text(values=[1, 2, 3]),
    "too large.json": text(values=[[[10**400, 0]]]),
    "rate 0.json": text(fps="0"),
    "rate below 0.json": text(fps="-25"),
    "rate NaN.json": text(fps="nan"),
    "rate 1 by 0.json": text(fps="1/0"),
    "rate 1e999999999.json": text(fps="1e999999999"),
    "rate 1e-999999999.json": text(fps="1e-999999999"),
    "rate of 5000 digits.json": text(fps="2" + "0" * 5000),
    "a list of rates.json": text(fps=[25]),
    "meta is a list.json": text(meta=[]),
    "meta is a word.json": text(meta="px"),
    "no units.json": meta(units=None),
    "no representation.json": meta(representation=None),
    "representation is a word.json": meta(representation="landmarks68"),
    "frame without side.json": meta(frame={"x": 1, "y": 2}),
    "frame with more.json": meta(frame=FRAME | {"z": 1}),
    "frame is a word.json": meta(frame="all"),
    "ragged reference.json": meta(reference=[[1, 2], [3]]),
    "reference of words.json": meta(reference=[["a", "b"]]),
    "provenance is a number.json": meta(provenance=5),
    "empty.npz": lambda path: path.write_bytes(b""),
    "really JSON.npz": lambda path: motion().save(path.with_suffix(".json")).rename(path),
    "pickle.npz": lambda path: path.write_bytes(pickle.dumps([0])),
    "objects.npz": binary(values=np.array([None, {}], dtype=object)),
    "words.npz": binary(values=np.full((1, 2, 2), "left")),
    "flat.npz": binary(values=np.zeros(5)),
    "complex.npz": binary(values=np.zeros((1, 2, 2), complex)),
    "no rate.npz": binary(fps=None),
    "rates.npz": binary(fps=np.array(["25", "30"])),
    "rate 1e999999999.npz": binary(fps=np.array("1e999999999")),
    "no meta.npz": binary(meta=None),
    "meta is no JSON.npz": binary(meta=np.array("{")),
    "meta is a list.npz": binary(meta=np.array("[]")),
    "meta is a pickle.npz": binary(meta=np.array({"units": "px"}, dtype=object)),
    "declares 10^15 numbers.npz": raw("values", "'<f4'", "(99999999, 99999, 99)"),
    "declares 3 GB.npz": raw("values", "'<f4'", "(5500000, 68, 2)", bytes(9999), declared=2_992_000_000),
}


@pytest.mark.parametrize("name", BAD_MOTIONS)
def test_no_motion(name: str, workdir: Path, judge: Judge) -> None:
    BAD_MOTIONS[name](workdir / name)
    assert name in judge.refused("inspect", name)


ODD_MOTIONS: dict[str, Write] = {
    "NaN.json": text(values=[[[float("nan"), 0.0]]]),
    "beyond single precision.json": text(values=[[[1e300, 0.0]]]),
    "half a letter.json": meta(provenance={"who": "\ud800"}),
    "a number of 4000 digits.json": meta(provenance={"seed": 10**4000}),
    "numbers for units.json": meta(units=5),
    "no frames.npz": binary(values=np.zeros((0, 68, 2))),
    "doubles.npz": binary(values=np.full((1, 68, 2), 1e300)),
}


@pytest.mark.parametrize("name", ODD_MOTIONS)
def test_odd_motion(name: str, workdir: Path, judge: Judge) -> None:
    ODD_MOTIONS[name](workdir / name)
    judge("inspect", name)


def _animate(pose: str) -> list[str]:
    return [
        *["animate", "speech.wav", "--model", "model.safetensors", "--image", "face.png", "--landmarks", pose],
        *["-o", "made/talk.mp4", "-q"],
    ]
