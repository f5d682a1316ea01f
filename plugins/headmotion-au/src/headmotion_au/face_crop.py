"""The face of a photograph, searched and cut out as for training: action units do not say where it is."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch

import headmotion as hm
from headmotion.renderers.picture_stream import crop_square, shows_square

from .specs import ImageGeneratorSpec

NAME = "renderer au/generator"

_log = logging.getLogger("headmotion")


def cut_face(spec: ImageGeneratorSpec, image: Any) -> Any:
    """Return the square of the largest face in a picture, ``uint8 [size, size, 3]``.

    A picture of that size that shows about that square, or no face, is returned as it is, and None for the caller to
    refuse. Where no face is found in another one, a warning says so, and the middle of the picture is taken.

    Raises:
        ImageError: no RGB picture.
    """
    if image is None:
        return image
    if image.ndim != 3 or image.shape[2] != 3:
        raise hm.ImageError(NAME, "an RGB picture [H, W, 3]", f"the shape {list(image.shape)}", "convert it to RGB")
    face = hm.resolve_spec("representation", "landmarks68").build()
    detector = hm.resolve_spec("detector", "face-mesh").build(hm.BuildContext(face, 0)).eval()
    with torch.inference_mode():
        (detections,) = detector.detect([np.ascontiguousarray(image)])
    height, width = image.shape[:2]
    square = hm.UnitSquare(width / 2, height / 2, min(height, width))
    if detections:
        own = face.frame_of(detections[0].pose)
        square = hm.UnitSquare(own.x, own.y - spec.crop_up * own.side, spec.crop_side * own.side)
    if image.shape[:2] == (spec.size, spec.size) and shows_square(square, height, width):
        return image
    if not detections:
        _log.warning("%s: no face was found in the picture, of which the middle is taken", NAME)
    return crop_square(image, square, (spec.size, spec.size))
