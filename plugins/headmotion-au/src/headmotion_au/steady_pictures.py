"""Pictures in which the head does not move: what is left to learn from them is what speech does to the face."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.pictures import encode_pictures
from headmotion.geometry.rigid_fit import fit_similarity

from .landmark_units import RIGID

Picture = npt.NDArray[np.uint8]
"""``[H, W, 3]``."""
QUALITY = 95
"""Of the pictures, which are encoded again."""


def steady(clip: Clip) -> Clip:
    """Return a clip whose pictures are turned, shifted and scaled so that nose and eyes stay at their mean places.

    Source: the group's later code aligns each picture by landmarks of nose and eyes, to one template for all people.
    The clip's own mean keeps the framing of the corpus instead. Beyond a picture its border goes on.

    Raises:
        CorpusError: there are no pictures.
    """
    if clip.frames is None:
        raise hm.CorpusError(f"clip {clip.id}", "pictures to steady", "none", "headmotion prepare --frames")
    pictures = clip.frames.read().transpose(0, 2, 3, 1)
    height, width = pictures.shape[1:3]
    left, top, edge = clip.picture_box or (0.0, 0.0, float(max(height, width)))
    positions = (torch.from_numpy(clip.landmarks[:, RIGID, :2]) - torch.tensor([left, top])) * (
        max(height, width) / edge
    )
    moves = fit_similarity(positions, positions.mean(0, keepdim=True))
    # Of points between pixels, whose first lies at the corner; OpenCV counts from its center.
    linear = (moves.scale[:, None, None] * moves.rotation).numpy()
    shift = moves.translation.numpy() + 0.5 * linear.sum(-1) - 0.5
    moved = [_moved(*arguments) for arguments in zip(pictures, linear, shift, strict=True)]
    return replace(clip, frames=encode_pictures(np.stack(moved), quality=QUALITY))


def _moved(picture: Picture, linear: npt.NDArray[np.float32], shift: npt.NDArray[np.float32]) -> Picture:
    size = picture.shape[1], picture.shape[0]
    matrix = np.concatenate([linear, shift[:, None]], axis=1)
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
