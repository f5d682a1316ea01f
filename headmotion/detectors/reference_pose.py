"""The reference pose of one person in a picture or a video: selection of the face, and warnings of poor ones."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from ..core.built import checked_part
from ..core.errors import DetectorError
from ..core.interfaces.detector import Detection, Detector, SupportsTracking
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.interfaces.specs import BuildContext, DetectorSpec
from ..core.outputs import checked_detections
from ..core.spec import building
from ..core.timing import resample_frames
from ..media.image import read_reduced, reduce_poses
from ..media.video_reader import VideoFrame, last_frames
from .converted import build_detector
from .detection_points import DetectionPoints
from .persons import Person, describe, nearest
from .pose_faults import faults
from .resolve import detector_spec

Face = int | Literal["largest"]
"""Selection of a face: ``largest``, or its number from 1, counted from the left."""

LONGEST_EDGE = 1280
"""Larger pictures are reduced to this edge (px) before detection."""
MAX_READ_EDGE = 4096
"""Longer edge (px) to which a larger picture may be reduced while it is read."""

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

    @classmethod
    def build(
        cls, detector: DetectorSpec | dict[str, Any] | str | None, context: BuildContext, face: Face
    ) -> PoseFinder:
        """Build the detector, converted if it does not give the context's representation itself.

        Args:
            detector: see `detector_spec`.
            context: gives the representation.
            face: the selected face.

        Raises:
            SpecError: no such detector, or nothing leads from what it gives to the representation.
        """
        spec = detector_spec(detector)
        with building(f"detector {spec.type_name()}"):
            built = checked_part(spec, build_detector(spec, context))
        return cls(built, context.representation, face)

    def in_picture_file(self, path: Path) -> Tensor:
        """Return the pose ``[1, P, D]`` in a picture file, in its pixels; a very large one is reduced as it is read.

        Raises:
            ImageError: not a picture, or damaged.
            DetectorError: no face, or no face of the selected number.
        """
        picture, factor = read_reduced(path, MAX_READ_EDGE)
        return reduce_poses(self.in_picture(picture), 1 / factor, self.representation)

    def in_picture(self, picture: Picture) -> Tensor:
        """Return the pose ``[1, P, D]`` in a picture ``uint8 [H, W, 3]``.

        Raises:
            DetectorError: no face, or no face of the selected number.
        """
        (persons,) = self._detect([picture])
        return self._checked(persons, picture.shape[:2]).pose.unsqueeze(0)

    def _checked(self, persons: Sequence[Person], size: tuple[int, ...]) -> Person:
        """Return the selected person of a picture of some height and width, with warnings of faults of its points."""
        person = self._select(persons)
        if self._points is not None and person.points is not None:
            for fault in faults(person.points, self._points.representation, *size):
                _log.warning("%s", fault)
        return person

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
        persons = [self._checked(last, pictures[-1].shape[:2])]
        for persons_before in takewhile(len, earlier):
            # The face is selected in the last frame only; before, it is the one nearest to the frame after.
            persons.append(nearest(persons_before, persons[-1]))
        # Time is counted backwards from the last frame, so that resampling preserves this frame exactly.
        backwards = torch.stack([person.pose for person in persons])
        count = min(frames, math.floor((len(persons) - 1) * fps / rate) + 1)
        return resample_frames(backwards, rate, fps, count).flip(0)

    def follow(self, frames: Iterable[VideoFrame]) -> Iterator[tuple[int, Tensor | None]]:
        """Yield each frame's index, and the pose ``[P, D]`` in pixels of the video or None where no face is visible.

        The face is selected in the first frame that shows one; later it is the one nearest to the frame before.
        """
        tracker = self.detector.tracker() if isinstance(self.detector, SupportsTracking) else None
        person, visible, number = None, False, -1
        for frame in frames:
            if frame.number != number:  # the same picture may be shown in several frames
                outputs = self.detector.detect([frame.picture]) if tracker is None else [tracker.push(frame.picture)]
                (detections,) = checked_detections(self.detector, outputs, 1)
                persons, number = self._persons(detections, frame.reduction), frame.number
                visible = bool(persons)
                if visible:
                    person = self._checked(persons, frame.size) if person is None else nearest(persons, person)
            yield frame.index, person.pose if person is not None and visible else None

    @cached_property
    def _points(self) -> DetectionPoints | None:
        return DetectionPoints.of(self.detector, self.representation, landmarks=True)

    def _detect(self, pictures: Sequence[Picture]) -> list[list[Person]]:
        """Return the persons in each picture, in its pixels, the largest first."""
        factors = [max(1.0, max(picture.shape[:2]) / LONGEST_EDGE) for picture in pictures]
        reduced = [_reduced(picture, factor) for picture, factor in zip(pictures, factors, strict=True)]
        shape = (self.representation.points, self.representation.dims)
        checked = checked_detections(self.detector, self.detector.detect(reduced), len(reduced), shape)
        return [self._persons(detections, factor) for detections, factor in zip(checked, factors, strict=True)]

    def _persons(self, detections: Sequence[Detection], factor: float) -> list[Person]:
        """Return what was detected in a picture that had been reduced by a factor."""
        poses = [enlarge(detection.pose, factor, self.representation) for detection in detections]
        if self._points is None:
            return [Person(pose, None) for pose in poses]
        points = [enlarge(shape, factor, self._points.representation) for shape in self._points(detections)]
        return [Person(pose, shape) for pose, shape in zip(poses, points, strict=True)]

    def _select(self, persons: Sequence[Person]) -> Person:
        if not persons:
            name = f"detector {self.detector.spec.type_name()}"
            remedy = "take or cut a picture in which the face is larger, upright and turned to the camera"
            raise DetectorError(name, "a face in the picture", "none", remedy)
        if self.face == "largest":
            if len(persons) > 1:
                _log.warning("%s; the largest is taken, face=N (--face N) takes another", describe(persons))
            return persons[0]
        if not (isinstance(self.face, int) and 1 <= self.face <= len(persons)):
            expected = f"'largest' or a number from 1 to {len(persons)}"
            raise DetectorError("face", expected, repr(self.face), describe(persons))
        return sorted(persons, key=lambda person: person.horizontal_position)[self.face - 1]


def enlarge(pose: Tensor, factor: float, representation: Representation) -> Tensor:
    """Return poses ``[..., P, D]``, found in a picture that was reduced by a factor, in pixels of the whole picture."""
    # Through the unit frame, because only the representation knows which numbers are lengths.
    unit = representation.normalize(pose, UnitSquare(0, 0, 1))
    return pose if factor == 1 else representation.denormalize(unit, UnitSquare(0, 0, factor))


def _reduced(picture: Picture, factor: float) -> Picture:
    """Return a picture whose edges are shorter by a factor."""
    if factor == 1:
        return picture
    size = max(1, round(picture.shape[1] / factor)), max(1, round(picture.shape[0] / factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
