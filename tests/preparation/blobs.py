"""Videos whose faces are red squares on a noisy ground, and a detector plugin that finds them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
import torch

import headmotion as hm
from headmotion.core.hookspecs import hookimpl
from headmotion.representations.specs import Landmarks68Spec

HEIGHT, WIDTH = 120, 160
FACE = Landmarks68Spec(dims=3).build()


class BlobsSpec(hm.DetectorSpec):
    """Red squares are faces."""

    type: Literal["blobs/squares"] = "blobs/squares"
    slow_s: float = 0
    """Time that a look takes."""
    hang_at: int = 0
    """Width of a picture at which the detector hangs."""
    crash_at: int = 0
    """Width of a picture at which the process dies."""
    works: bool = True

    def build(self, context: hm.BuildContext) -> hm.Detector:
        return Blobs(self)


class Blobs(hm.Detector):
    spec: BlobsSpec
    label_names = ("middle", "length")

    def labels(self, detections: Sequence[hm.Detection]) -> torch.Tensor:
        """Where the middle of each square is, from left to right, and its length, in pixels."""
        boxes = torch.tensor([detection.box for detection in detections])
        return torch.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 2] - boxes[:, 0]], dim=1)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        return [self.find(image) for image in images]

    def find(self, image: np.ndarray) -> list[hm.Detection]:
        time.sleep(self.spec.slow_s)
        if image.shape[1] == self.spec.hang_at:
            time.sleep(1000)
        if image.shape[1] == self.spec.crash_at:
            os.abort()
        if not self.spec.works:
            raise hm.DetectorError("detector blobs", "its model", "none")
        red, green, blue = (image[..., k].astype(int) for k in range(3))
        mask = ((red > 150) & (green < 90) & (blue < 90)).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        found = [row for row in stats[1:].tolist() if row[4] >= 50]
        return [
            hm.Detection(pose(x + w / 2, y + h / 2, max(w, h)), (x, y, x + w, y + h))
            for x, y, w, h, _ in sorted(found, key=lambda r: -r[4])
        ]


@hookimpl
def headmotion_specs() -> Iterable[type[hm.DetectorSpec]]:
    return [BlobsSpec]


def pose(x: float, y: float, length: float) -> torch.Tensor:
    """The neutral face with its box's middle at ``x, y``, and ``length`` as its longer edge."""
    neutral = FACE.neutral()
    frame = FACE.frame_of(neutral)
    scale = 2 * length / frame.side
    points = (neutral - torch.tensor([frame.x, frame.y, 0])) * scale
    return (points + torch.tensor([x, y, 0])).float()


def picture(*squares: tuple[float, float, float], ground: int = 0, width: int = WIDTH) -> np.ndarray:
    """Squares ``(x, y, length)`` by their middles; grounds of different numbers look different."""
    noise = np.random.default_rng(ground).integers(0, 100, (HEIGHT // 8, width // 8, 3))
    shade = np.array([170, 220, 120] if ground % 2 else [20, 60, 150])
    image = np.kron(noise // 3 + shade, np.ones((8, 8, 1))).clip(0, 255).astype(np.uint8)
    for x, y, length in squares:
        left, top = round(x - length / 2), round(y - length / 2)
        image[max(0, top) : top + round(length), max(0, left) : left + round(length)] = (230, 20, 20)
    return image


def talking(seconds: float, rate: int = 16_000) -> np.ndarray:
    """Noise that comes and goes, as loud as speech."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(7).standard_normal(len(times))
    return (0.1 * noise * (1 + np.sin(2 * np.pi * 3 * times)) / 2).astype(np.float32)


def nodding(count: int, ground: int = 0, width: int = WIDTH) -> Iterator[np.ndarray]:
    """One face that moves slowly."""
    return (picture((70 + 5 * np.sin(k / 10), 60, 70), ground=ground, width=width) for k in range(count))


def video(
    path: Path,
    pictures: Iterable[np.ndarray],
    audio: np.ndarray | Sequence[tuple[int, np.ndarray]] | None = None,
    rate: Fraction | int = 25,
    stamps_ms: Iterable[int] | None = None,
    audio_rate: int = 16_000,
    audio_at_ms: int = 0,
    codec: str = "libx264",
    audio_codec: str = "pcm_s16le",
) -> Path:
    """Write a video: pictures at a rate, or at time stamps; sound that begins at its own, or parts, each at its own."""
    stamps = None if stamps_ms is None else iter(stamps_ms)
    with av.open(str(path), "w") as container:
        options = {"crf": "10", "preset": "ultrafast"} if codec == "libx264" else {"qscale": "2"}
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound: Any = None if audio is None else container.add_stream(audio_codec, rate=audio_rate, layout="mono")
        for number, image in enumerate(pictures):
            if not number:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number if stamps is None else next(stamps)
            frame.time_base = 1 / Fraction(rate) if stamps is None else Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio is not None:
            for at_ms, part in [(audio_at_ms, audio)] if isinstance(audio, np.ndarray) else audio:
                _mux_sound(container, sound, part, audio_rate, at_ms)
            container.mux(sound.encode())
    return path


def _mux_sound(container: Any, sound: Any, audio: np.ndarray, rate: int, at_ms: int) -> None:
    planar = sound.codec_context.format.name
    for start in range(0, len(audio), 1024):
        piece = audio[start : start + 1024]
        values = (piece * 32767).astype(np.int16) if planar.startswith("s16") else piece
        frame = av.AudioFrame.from_ndarray(values[None], format=planar, layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = start + at_ms * rate // 1000
        container.mux(sound.encode(frame))


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
