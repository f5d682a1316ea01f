"""The face of a photograph, cut out as for training: one fixed square, into which the motion is mapped."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.renderers.picture_stream import crop_square, picture_square

from .specs import VGNetSpec

NAME = "renderer atvg/vg-net"
MAX_OUTSIDE = 0.25
"""Largest share of points that may lie outside the picture: chins are often cut off."""


def face_square(representation: hm.Representation, spec: VGNetSpec, pose: Tensor) -> hm.UnitSquare:
    """Return the square of training pictures around a pose ``[P, D]``, in pixels."""
    own = representation.frame_of(pose)
    return hm.UnitSquare(own.x, own.y - spec.crop_up * own.side, spec.crop_side * own.side)


def cut_face(
    representation: hm.Representation, spec: VGNetSpec, motion: Iterable[hm.Motion], image: Any, landmarks: Any
) -> tuple[Iterator[hm.Motion], Any, Any]:
    """Return motion, picture and pose in pixels of a picture of the training size.

    Args:
        representation: of the motion.
        spec: of the renderer.
        motion: consecutive parts of a motion, in pixels of the picture.
        image: ``uint8 [H, W, 3]``, or None.
        landmarks: pose ``[P, D]`` in it; None takes the reference that the motion carries.

    Raises:
        ImageError: no RGB picture, or a face that lies outside of it.
    """
    parts = iter(motion)
    first = next((part for part in parts if len(part)), None)
    if first is None or image is None:
        return iter(()) if first is None else itertools.chain([first], parts), image, landmarks
    if image.ndim != 3 or image.shape[2] != 3:
        raise hm.ImageError(NAME, "an RGB picture [H, W, 3]", f"the shape {list(image.shape)}", "convert it to RGB")
    parts = itertools.chain([first], parts)
    pose = first.reference if landmarks is None else torch.as_tensor(np.asarray(landmarks, np.float32))
    if pose is None:
        return parts, image, landmarks
    _check_inside(representation, pose, *image.shape[:2])
    size = (spec.size, spec.size)
    if image.shape[:2] == size:
        return parts, image, landmarks
    square, whole = face_square(representation, spec, pose), picture_square(*size)

    def mapped(values: Tensor) -> Tensor:
        return representation.denormalize(representation.normalize(values, square), whole)

    def cropped(part: hm.Motion) -> hm.Motion:
        reference = None if part.reference is None else mapped(part.reference)
        return replace(part, values=mapped(part.values), reference=reference, frame=None)

    return map(cropped, parts), crop_square(image, square, size), mapped(pose).numpy()


def _check_inside(representation: hm.Representation, pose: Tensor, height: int, width: int) -> None:
    points = representation.to_points2d(pose)
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=-1).sum())
    if outside > MAX_OUTSIDE * representation.points:
        got = f"{outside} of {representation.points} points outside of {width} x {height} pixels"
        raise hm.ImageError(NAME, "a face inside the picture", got, "give the picture in which the pose was found")
