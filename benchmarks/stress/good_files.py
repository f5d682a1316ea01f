"""One small good file of each format that the command line reads."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile
from PIL import Image

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training.recipe import load_recipe

RATE = 16_000
EDGE = 96
"""Pixels of the square picture."""

ASSETS = Path(hm.__file__).parent / "assets"


def speech(seconds: float = 0.2) -> npt.NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 180 * time) * np.sin(2 * np.pi * 4 * time)).astype(np.float32)


def sound(path: Path, seconds: float = 0.2) -> Path:
    soundfile.write(path, speech(seconds), RATE)
    return path


def encoded(path: Path, codec: str, video: str = "", late: float = 0) -> Path:
    """`speech` as FFmpeg writes it, ``late`` seconds behind a few dark pictures if there is a video codec."""
    rate = 48_000
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(video, rate=25) if video else None
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        if pictures is not None:
            _dark(out, pictures, 5)
        frame = av.AudioFrame.from_ndarray(np.repeat(speech(), 3)[None], format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, round(late * rate), Fraction(1, rate)
        context = stream.codec_context
        split = av.AudioResampler(context.format, "mono", rate, context.frame_size or 1024)
        for part in [*split.resample(frame), *split.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode())
    return path


def frames_of_video(path: Path, count: int) -> Path:
    """A video without sound."""
    with av.open(str(path), "w") as out:
        _dark(out, out.add_stream("mpeg4", rate=25), count)
    return path


def _dark(out: Any, stream: Any, count: int) -> None:
    stream.width = stream.height = 32
    for _ in range(count):
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
    out.mux(stream.encode())


def portrait() -> Image.Image:
    return Image.open(ASSETS / "portrait.png").convert("RGB").resize((EDGE, EDGE))


def landmarks() -> npt.NDArray[np.float32]:
    """Of the face in `portrait`."""
    with np.load(ASSETS / "portrait_landmarks.npz") as stored, Image.open(ASSETS / "portrait.png") as whole:
        return (stored["landmarks"] * EDGE / whole.width).astype(np.float32)


def motion(frames: int = 3) -> hm.Motion:
    import torch

    pose = torch.from_numpy(landmarks())
    spec = {"type": "landmarks68", "dims": 3}
    return hm.Motion(pose.repeat(frames, 1, 1), Fraction(30000, 1001), spec, reference=pose, provenance={"seed": 0})


def recipe() -> dict[str, object]:
    """The smallest training that passes through both phases."""
    data = load_recipe("smoke").model_dump(mode="json")
    data["data"]["batch_size"] = 2
    data["phases"]["syncers"]["pyramid"]["levels"] = 1
    data["phases"]["syncers"] |= {"steps": 1, "frames": 5, "group_size": 2, "windows_per_clip": 1}
    data["phases"]["generator"] |= {"steps": 1, "frames": 5, "losses": ["sync"]}
    return data


def pipeline() -> hm.Pipeline:
    """Random weights: what it says does not matter here."""
    return hm.build(load_recipe("smoke").pipeline, device="cpu")


def corpus(folder: Path) -> Path:
    return write_synthetic(folder, clips=2, seconds=1.0, clips_per_speaker=2)


def _task(path: Path) -> None:
    """Write an archive as detectors of mediapipe come in, of networks that are none."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("face_detector.tflite", "face_landmarks_detector.tflite"):
            archive.writestr(zipfile.ZipInfo(name), b"\x1c\0\0\0TFL3" + bytes(range(256)))


MAKERS: dict[str, Callable[[Path], object]] = {
    "speech.wav": sound,
    "speech.flac": sound,
    "speech.ogg": sound,
    "speech.mp3": lambda path: encoded(path, "libmp3lame"),
    "speech.m4a": lambda path: encoded(path, "aac"),
    "speech.mp4": lambda path: encoded(path, "aac", "mpeg4"),
    "speech.webm": lambda path: encoded(path, "libopus", "libvpx"),
    "face.png": lambda path: portrait().save(path),
    "face.jpg": lambda path: portrait().save(path),
    "face.webp": lambda path: portrait().save(path),
    "face.tiff": lambda path: portrait().save(path, compression="tiff_lzw"),
    "face.gif": lambda path: portrait().save(path),
    "pose.npz": lambda path: np.savez_compressed(path, landmarks=landmarks()),
    "motion.npz": lambda path: motion().save(path),
    "motion.json": lambda path: motion().save(path),
    "motion.csv": lambda path: motion().save(path),
    "detector.task": _task,
    "recipe.yaml": lambda path: path.write_text(json.dumps(recipe(), indent=1)),
    "model.safetensors": lambda path: pipeline().save(path),
}
