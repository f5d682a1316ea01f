"""The reference of a client: a pose, or a picture in which it is found. No path of a client is opened."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image

from ..core.errors import ServingError
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference
from .protocol import MotionRequest, ReferencePoints

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP")
"""Formats of pictures, by their content; each is decoded by Pillow and names no other file."""


def read_reference(
    pipeline: Pipeline, request: MotionRequest, points: ReferencePoints | None, picture: bytes | None
) -> Reference:
    """Return the reference of a session.

    Args:
        pipeline: the model.
        request: how the mouth is treated.
        points: the pose, if the client stated it.
        picture: content of a picture, if the client sent one.

    Raises:
        HeadmotionError: poses of another shape, no such picture, or no face in it.
    """
    if picture is not None:
        with picture_file(picture) as path:
            return pipeline.reference(path, mouth=request.mouth)
    if points is None:
        return pipeline.reference(None, mouth=request.mouth)
    try:
        pose = torch.tensor(points.points, dtype=torch.float32)
    except ValueError:
        raise ServingError("reference", "points of as many numbers each", "points of different lengths") from None
    return pipeline.reference(pose, mouth=request.mouth)


@contextmanager
def picture_file(content: bytes) -> Iterator[Path]:
    """Write a client's picture into a file of this process's own, because detectors read files.

    Raises:
        ServingError: no picture in one of `PICTURE_FORMATS`.
    """
    try:
        with Image.open(BytesIO(content), formats=PICTURE_FORMATS) as opened:
            suffix = f".{(opened.format or 'png').lower()}"
    except Exception:  # decoders raise errors of any type on damaged files
        expected = f"a picture in one of the formats {', '.join(PICTURE_FORMATS)}"
        raise ServingError("reference", expected, f"{len(content)} other bytes") from None
    with tempfile.TemporaryDirectory(prefix="headmotion-serve-") as folder:
        path = Path(folder) / f"picture{suffix}"
        path.write_bytes(content)
        yield path
