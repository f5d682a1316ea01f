"""The reference pose of one person in a picture or a video: selection of the face, and warnings of poor ones."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from ..core.errors import DetectorError
from ..core.interfaces.detector import Detector
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.timing import resample_frames
from ..media.video_reader import last_frames

Face = int | Literal["largest"]
"""Selection of a face: ``largest``, or its number from 1, counted from the left."""

LONGEST_EDGE = 1280
"""Larger pictures are reduced to this edge (px) before detection."""
UPRIGHT_DEG = 60
"""Roll of a face (degrees, to either side) above which a warning says that it is not upright."""
MIN_SIZE_PX = 32
"""Distance of the outer eye corners (px) below which a face has too little detail."""

_log = logging.getLogger("headmotion")


@dataclass(frozen=True)
class PoseFinder:
    """Detection of one person's pose in pixels. Faults of the pose are warnings of the logger ``headmotion``."""

    detector: Detector
    """The detector of all faces."""
    representation: Representation
    """What the detector's poses are."""
    face: Face = "largest"
    """The selected face."""

    def in_picture(self, picture: Picture) -> Tensor:
        """Return the pose ``[1, P, D]`` in a picture ``uint8 [H, W, 3]``.

        Raises:
            DetectorError: no face, or no face of the selected number.
        """
        (found,) = self._detect([picture])
        return self._checked(found, picture).unsqueeze(0)

    def _checked(self, poses: Sequence[Tensor], picture: Picture) -> Tensor:
        """Return the pose ``[P, D]`` of the selected person, with warnings of its faults."""
        pose = self._select(poses)
        for fault in faults(pose, self.representation, picture.shape[0], picture.shape[1]):
            _log.warning("%s", fault)
        return pose

    def in_video(self, path: Path, frames: int, fps: Fraction) -> Tensor:
        """Return the last poses ``[R, P, D]`` of a video; fewer than requested if the face was not visible before.

        Args:
            path: the video.
            frames: number of poses ``R`` at most.
            fps: frames per second of the poses.

        Raises:
            ImageError: not a video, or damaged.
            DetectorError: the last frame shows no face, or no face of the selected number.
        """
        pictures, rate = last_frames(path, lambda rate: math.ceil((frames - 1) * rate / fps) + 1)
        last, *earlier = self._detect(pictures[::-1])
        poses = [self._checked(last, pictures[-1])]
        for found in takewhile(len, earlier):
            # The face is selected in the last frame only; before, it is the one nearest to the frame after.
            poses.append(found[_nearest(found, poses[-1])])
        # Time is counted backwards from the last frame, so that resampling preserves this frame exactly.
        backwards = torch.stack(poses)
        count = min(frames, math.floor((len(poses) - 1) * fps / rate) + 1)
        return resample_frames(backwards, rate, fps, count).flip(0)

    def _detect(self, pictures: Sequence[Picture]) -> list[list[Tensor]]:
        """Return the poses ``[P, D]`` in each picture, in its pixels, the largest first."""
        factors = [max(1.0, max(picture.shape[:2]) / LONGEST_EDGE) for picture in pictures]
        reduced = [_reduced(picture, factor) for picture, factor in zip(pictures, factors, strict=True)]
        detections = self.detector.detect(reduced)
        return [
            [self._enlarged(detection.pose, factor) for detection in found]
            for found, factor in zip(detections, factors, strict=True)
        ]

    def _enlarged(self, pose: Tensor, factor: float) -> Tensor:
        # Through the unit frame, because only the representation knows which numbers are lengths.
        unit = self.representation.normalize(pose, UnitSquare(0, 0, 1))
        return pose if factor == 1 else self.representation.denormalize(unit, UnitSquare(0, 0, factor))

    def _select(self, poses: Sequence[Tensor]) -> Tensor:
        if not poses:
            name = f"detector {self.detector.spec.type_name()}"
            remedy = "take or cut a picture in which the face is larger, upright and turned to the camera"
            raise DetectorError(name, "a face in the picture", "none", remedy)
        if self.face == "largest":
            if len(poses) > 1:
                _log.warning("%s; the largest is taken, face=N (--face N) takes another", _describe(poses))
            return poses[0]
        from_left = sorted(poses, key=lambda pose: float(pose[:, 0].mean())) if _are_points(poses[0]) else poses
        if not (isinstance(self.face, int) and 1 <= self.face <= len(poses)):
            expected = f"'largest' or a number from 1 to {len(poses)}"
            raise DetectorError("face", expected, repr(self.face), _describe(poses))
        return from_left[self.face - 1]


def faults(pose: Tensor, representation: Representation, height: int, width: int) -> list[str]:
    """Return the reasons for which a pose is a poor reference, one sentence each.

    Args:
        pose: ``[P, D]``, in pixels of the picture.
        representation: what the pose is.
        height: of the picture (px).
        width: of the picture (px).
    """
    if not _are_points(pose):
        return []
    points = representation.to_points2d(pose)
    first, second = (points[index] for index in representation.scale_pair)
    size = float((second - first).norm())
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=1).sum())
    reasons = []
    if size < MIN_SIZE_PX:
        reasons.append(f"the face is small ({size:.0f} px between the outer eye corners): expect little detail")
    if "nose_bridge_3" in representation.point_names:
        tip = points[representation.point_names.index("nose_bridge_3")]
        sideways = abs(float((tip - (first + second) / 2) @ (second - first)))
        if sideways > size**2 / 2:  # the tip of the nose is beyond an eye: a yaw of 45 degrees or more
            reasons.append("the face is seen nearly in profile: its far side is a guess")
        roll = abs(math.degrees(math.atan2(*(second - first).flip(0).tolist())))
        if roll > UPRIGHT_DEG:
            reasons.append(f"the face is turned by {roll:.0f} degrees: turn the picture upright")
    if outside:
        reasons.append(f"{outside} of {representation.points} points lie outside the picture: the face is cut off")
    return reasons


def _reduced(picture: Picture, factor: float) -> Picture:
    """Return a picture whose edges are shorter by a factor."""
    if factor == 1:
        return picture
    size = max(1, round(picture.shape[1] / factor)), max(1, round(picture.shape[0] / factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _nearest(poses: Sequence[Tensor], pose: Tensor) -> int:
    """Return the index of the nearest of ``poses [P, D]`` to ``pose [P, D]``."""
    return int((torch.stack(list(poses)) - pose)[..., :2].norm(dim=-1).mean(dim=1).argmin())


def _are_points(pose: Tensor) -> bool:
    """Return whether a pose ``[P, D]`` is points of the picture, and not single numbers such as blend shapes."""
    return pose.shape[-1] > 1


def _describe(poses: Sequence[Tensor]) -> str:
    if not _are_points(poses[0]):
        return f"{len(poses)} {'face' if len(poses) == 1 else 'faces'}, the largest first"
    centers = sorted(tuple(pose[:, :2].mean(dim=0).round().int().tolist()) for pose in poses)
    numbered = ", ".join(f"{number} at ({x}, {y})" for number, (x, y) in enumerate(centers, 1))
    return f"{len(poses)} {'face' if len(poses) == 1 else 'faces'}: {numbered}"
