"""A still picture of a face, warped by the motion."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

from ...core.errors import ImageError
from ...core.interfaces.renderer import Picture, Renderer
from ...core.interfaces.representation import Representation
from ...core.motion import Motion
from ...geometry.complex_points import Plane, plane_of, plane_poses
from ..specs import PortraitSpec
from .alpha import spread_colors
from .head_ellipse import HALF_HEIGHT, Head
from .openings import find_openings, upright
from .warp import Box, Similarity
from .warper import Sitter

LARGEST = 4096
"""Longer edge (px) of frames whose size is not set: players decode no larger H.264 video."""

_log = logging.getLogger("headmotion")


class Portrait(Renderer):
    """The picture's own pixels, moved: head and hair as one, face by its landmarks, teeth and eyes with the skull."""

    needs_image = True
    keeps_alpha = True
    spec: PortraitSpec

    def __init__(self, spec: PortraitSpec, representation: Representation) -> None:
        find_openings(representation)  # refuses what is no face
        super().__init__(spec)
        self.representation = representation
        self.max_useful_edge = (spec.size or LARGEST) if spec.crop == "none" else None

    def frames(
        self, motion: Iterable[Motion], image: Picture | None = None, landmarks: npt.ArrayLike | None = None
    ) -> Iterator[Picture]:
        """One picture per frame, all of one even size.

        Where the motion was made from another pose than ``landmarks`` (another face, say), its displacements from
        that pose are turned and scaled to the face in the picture; at its own reference the picture is unchanged.

        Args:
            motion: consecutive pieces of one motion, in pixels.
            image: the still picture ``uint8 [H, W, 3]``, or ``[H, W, 4]`` if its background is transparent.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.

        Raises:
            ImageError: there is no picture, no pose in it, or the pose lies outside of it.
            MotionError: another unit than pixels, another number of points, or values that are not finite.
        """
        picture = _checked(image)
        pieces = iter(motion)
        first = next(pieces, None)
        if first is None:
            return iter(())
        pose = self._pose(first, landmarks)
        if not Box(0, 0, picture.shape[1], picture.shape[0]).holds(complex(pose.mean())):
            size = f"{picture.shape[1]} x {picture.shape[0]}"
            raise ImageError("portrait", f"landmarks inside the picture ({size})", f"their middle at {pose.mean():.0f}")
        base = (
            pose
            if first.reference is None
            else plane_of(first.reference, self.representation.to_points2d, "the reference")
        )
        return self._frames(chain([first], pieces), picture, pose, base)

    def _pose(self, first: Motion, landmarks: npt.ArrayLike | None) -> Plane:
        pose = first.reference if landmarks is None else landmarks
        if pose is None:
            raise ImageError("portrait", "the pose in the picture", "none", "give landmarks=")
        return plane_of(pose, self.representation.to_points2d, "the pose in the picture")

    def _frames(self, motion: Iterable[Motion], picture: Picture, pose: Plane, base: Plane) -> Iterator[Picture]:
        view = self._view(picture, pose)
        picture = picture if picture.shape[2] == 3 else spread_colors(picture)
        sitter = Sitter(view.picture(picture), view.points(pose), self.representation)
        turn = 1 + 0j if np.array_equal(base, pose) else Similarity.fit(base, pose).turn
        far = 4 * max(picture.shape)
        for values in plane_poses(motion, self.representation.to_points2d):
            moved = turn * (values - base)
            reach = np.abs(moved)
            moved = np.where(reach > far, moved * (far / np.maximum(reach, far)), moved)
            yield sitter.frame(view.points(pose + moved))

    def _view(self, picture: Picture, pose: Plane) -> View:
        height, width = picture.shape[:2]
        box = Box(0, 0, width, height)
        if self.spec.crop == "head":
            head = Head(pose, upright(pose, self.representation))
            side = min(width, height, round(2 * HALF_HEIGHT * head.face * (1 + self.spec.head_margin)))
            x = min(max(round(head.center.real - side / 2), 0), width - side)
            y = min(max(round(head.center.imag - side / 2), 0), height - side)
            box = Box(x, y, x + side, y + side)
        longest = max(box.size)
        scale = min(longest, LARGEST) / longest if self.spec.size is None else self.spec.size / longest
        view = View(box, _even(box.size[0] * scale), _even(box.size[1] * scale))
        if self.spec.size is None and longest > LARGEST:
            shown = f"{view.width} x {view.height}"
            _log.warning("the picture is larger than players show and becomes %s; size=N (--size N) sets it", shown)
        return view


@dataclass(frozen=True)
class View:
    """The part of a picture that is shown, and the size at which it is."""

    box: Box
    width: int
    height: int

    def picture(self, whole: Picture) -> Picture:
        """The part at its size."""
        part = np.ascontiguousarray(whole[self.box.slices])
        if self.box.size == (self.width, self.height):
            return part
        smaller = self.width < self.box.size[0]
        method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (self.width, self.height), interpolation=method), np.uint8)

    def points(self, places: Plane) -> Plane:
        """Positions in the whole picture as positions in the part."""
        x = (places.real - self.box.x0 + 0.5) * (self.width / self.box.size[0]) - 0.5
        y = (places.imag - self.box.y0 + 0.5) * (self.height / self.box.size[1]) - 0.5
        plane: Plane = x + 1j * y
        return plane


def _even(edge: float) -> int:
    return max(2, 2 * round(edge / 2))


def _checked(image: Picture | None) -> Picture:
    if image is None:
        raise ImageError("portrait", "a picture", "none", "give image=, or use the renderer 'skeleton'")
    picture = np.asarray(image)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or min(picture.shape[:2]) < 2:
        raise ImageError("portrait", "a picture uint8 [H, W, 3 or 4]", f"{picture.dtype} {list(picture.shape)}")
    return picture
