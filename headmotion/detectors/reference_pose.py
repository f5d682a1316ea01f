"""One person's pose in a picture or a video: which face is meant, and whether it will do."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from fractions import Fraction
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
"""Which face is meant: ``largest``, or its number from 1, counted from the left."""

LONGEST_EDGE = 1280
"""Larger pictures are reduced to this edge (px) before detection."""
UPRIGHT_DEG = 60
"""Turn in the picture up to which a face is upright."""
LEAST_SIZE = 32
"""Distance of the outer eye corners (px) below which a face holds too little detail."""

_log = logging.getLogger("headmotion")


@dataclass(frozen=True)
class PoseFinder:
    """Finds poses in pixels. What is doubtful about one is logged as a warning of the logger ``headmotion``."""

    detector: Detector
    representation: Representation
    face: Face = "largest"

    def in_picture(self, picture: Picture) -> Tensor:
        """The pose ``[1, P, D]`` in a picture ``uint8 [H, W, 3]``.

        Raises:
            DetectorError: no face, or not the one that was asked for.
        """
        pose = self._chosen(self._detect(picture))
        for fault in faults(pose, self.representation, picture.shape[0], picture.shape[1]):
            _log.warning("%s", fault)
        return pose.unsqueeze(0)

    def in_video(self, path: Path, frames: int, fps: Fraction) -> Tensor:
        """The poses ``[R, P, D]`` in which a video ends, ``frames`` of them or fewer, at ``fps`` frames per second.

        Raises:
            ImageError: not a video, or damaged.
            DetectorError: the last frame shows no face, or not the one that was asked for.
        """
        pictures, rate = last_frames(path, lambda rate: math.ceil((frames - 1) * rate / fps) + 1)
        poses = [self.in_picture(pictures[-1])[0]]
        for picture in pictures[-2::-1]:
            try:
                found = self._detect(picture)
            except DetectorError:
                break
            poses.append(found[_nearest(found, poses[-1])])
        # Time runs backwards from the last frame, so that it is the one that is kept exactly.
        backwards = torch.stack(poses)
        count = min(frames, math.floor((len(poses) - 1) * fps / rate) + 1)
        return resample_frames(backwards, rate, fps, count).flip(0)

    def _detect(self, picture: Picture) -> Tensor:
        height, width = picture.shape[:2]
        reduced = max(height, width) / LONGEST_EDGE
        if reduced <= 1:
            return self.detector.detect(picture)
        size = max(1, round(width / reduced)), max(1, round(height / reduced))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        # By way of the unit frame, because only the representation knows which numbers are lengths.
        unit = self.representation.normalize(self.detector.detect(small), UnitSquare(0, 0, 1))
        return self.representation.denormalize(unit, UnitSquare(0, 0, reduced))

    def _chosen(self, poses: Tensor) -> Tensor:
        if self.face == "largest":
            if len(poses) > 1:
                _log.warning("%s; the largest is taken, face=N (--face N) takes another", _listed(poses))
            return poses[0]
        from_left = poses[poses[..., 0].mean(dim=1).argsort()] if _are_places(poses) else poses
        if not (isinstance(self.face, int) and 1 <= self.face <= len(poses)):
            wanted = f"'largest' or a number from 1 to {len(poses)}"
            raise DetectorError("face", wanted, repr(self.face), _listed(poses))
        return from_left[self.face - 1]


def faults(pose: Tensor, representation: Representation, height: int, width: int) -> list[str]:
    """What will make a poor reference of a pose ``[P, D]`` in a picture of that size, one sentence each."""
    if not _are_places(pose):
        return []
    points = representation.to_points2d(pose)
    first, second = (points[index] for index in representation.scale_pair)
    size = float((second - first).norm())
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=1).sum())
    found = []
    if size < LEAST_SIZE:
        found.append(f"the face is small ({size:.0f} px between the outer eye corners): expect little detail")
    if "nose_bridge_3" in representation.point_names:
        tip = points[representation.point_names.index("nose_bridge_3")]
        beside = abs(float((tip - (first + second) / 2) @ (second - first)))
        if beside > size**2 / 2:  # the tip of the nose lies beyond an eye: turned by 45 degrees or more
            found.append("the face is seen nearly in profile: its far side is a guess")
        turn = abs(math.degrees(math.atan2(*(second - first).flip(0).tolist())))
        if turn > UPRIGHT_DEG:
            found.append(f"the face is turned by {turn:.0f} degrees: turn the picture upright")
    if outside:
        found.append(f"{outside} of {representation.points} points lie outside the picture: the face is cut off")
    return found


def _nearest(poses: Tensor, to: Tensor) -> int:
    return int((poses - to)[..., :2].norm(dim=-1).mean(dim=1).argmin())


def _are_places(poses: Tensor) -> bool:
    """Return whether poses ``[..., P, D]`` are points of the picture, and not single numbers such as blend shapes."""
    return poses.shape[-1] > 1


def _listed(poses: Tensor) -> str:
    if not _are_places(poses):
        return f"{len(poses)} {'face' if len(poses) == 1 else 'faces'}, the largest first"
    middles = sorted(tuple(round(float(each)) for each in pose[:, :2].mean(dim=0)) for pose in poses)
    named = ", ".join(f"{number} at ({x}, {y})" for number, (x, y) in enumerate(middles, 1))
    return f"{len(poses)} {'face' if len(poses) == 1 else 'faces'}: {named}"
