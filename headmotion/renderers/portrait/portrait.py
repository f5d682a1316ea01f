"""A still picture of a face, warped by the motion."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...core.errors import ImageError
from ...core.interfaces.renderer import Picture, Renderer
from ...core.interfaces.representation import Representation
from ...core.motion import Motion
from ...geometry.complex_points import ComplexPoints, project_motion, project_pose
from ..pose_in_picture import check_size, is_mirrored, outside_points
from ..specs import PortraitSpec
from .box import Box
from .cut_sides import cut_sides
from .head_ellipse import HALF_HEIGHT, HeadEllipse
from .openings import find_openings, up_direction
from .view import View, even, fill_transparent
from .warp import Similarity
from .warper import PortraitWarper

MAX_DEFAULT_EDGE = 4096
"""Longer edge (px) of frames whose size is not set; players decode no larger H.264 video."""
GROWTH = 0.25
"""What is warped around a ``head`` crop where the picture has it, in units of the face: moving heads bring it in."""

_log = logging.getLogger("headmotion")


class Portrait(Renderer):
    """A still picture whose pixels move: head and hair as one, face by its landmarks, teeth and eyes with the skull."""

    needs_image = True
    keeps_alpha = True
    spec: PortraitSpec

    def __init__(self, spec: PortraitSpec, representation: Representation) -> None:
        find_openings(representation)  # raises unless it is a face
        super().__init__(spec)
        self.representation = representation
        # A crop needs the full resolution of a part, which is not known before the head is found.
        self.max_useful_edge = (spec.size or MAX_DEFAULT_EDGE) if spec.crop == "none" else None

    def frames(
        self,
        motion: Iterable[Motion],
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Picture]:
        """Render one picture per frame, all of one even size.

        If the motion starts from another pose than ``landmarks`` (that of another face, say), its displacements from
        that pose are rotated and scaled to the face in the picture; at its own reference the picture is unchanged.

        Args:
            motion: consecutive parts of one motion, in pixels.
            image: the still picture ``uint8 [H, W, 3]``, or ``[H, W, 4]`` if its background is transparent.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference of the motion.
            audio: ignored.

        Raises:
            ImageError: there is no picture, no pose in it, or the pose lies outside of it.
            MotionError: another unit than pixels, another number of points, or values that are not finite.
        """
        picture = _checked(image)
        motion = iter(motion)
        first = next(motion, None)
        if first is None:
            return iter(())
        pose = self._pose(first, landmarks)
        if not Box(0, 0, picture.shape[1], picture.shape[0]).contains(complex(pose.mean())):
            size, middle = f"{picture.shape[1]} x {picture.shape[0]}", complex(pose.mean())
            got = f"their middle at ({middle.real:.0f}, {middle.imag:.0f})"
            raise ImageError("portrait", f"landmarks inside the picture ({size})", got)
        check_size("portrait", pose)
        base = pose
        if first.reference is not None:
            base = project_pose(first.reference, self.representation.to_points2d, "the reference")
        return self._frames(chain([first], motion), picture, pose, base)

    def prepare(self, picture: Picture, pose: ComplexPoints) -> tuple[View, PortraitWarper]:
        """Return the part of a picture that is warped, and its warper.

        Args:
            picture: ``uint8 [H, W, 3 or 4]``.
            pose: positions ``[P]`` of the landmarks in it (px).
        """
        view = self._view(picture, pose)
        picture = picture if picture.shape[2] == 3 else fill_transparent(picture)
        return view, PortraitWarper(view.crop(picture), view.to_view(pose), self.representation)

    def _pose(self, first: Motion, landmarks: npt.ArrayLike | None) -> ComplexPoints:
        pose = first.reference if landmarks is None else landmarks
        if pose is None:
            raise ImageError("portrait", "the pose in the picture", "none", "give landmarks=")
        return project_pose(pose, self.representation.to_points2d, "the pose in the picture")

    def _frames(
        self, motion: Iterable[Motion], picture: Picture, pose: ComplexPoints, base: ComplexPoints
    ) -> Iterator[Picture]:
        """Render displacements from ``base``, the motion's own reference, from ``pose``, that of the picture."""
        view, warper = self.prepare(picture, pose)
        self._warn_of_other_picture(picture, pose)
        self._warn_if_rounded(picture, view)
        self._warn_if_cut(picture, pose)
        factor = 1 + 0j if np.array_equal(base, pose) else Similarity.fit(base, pose).factor
        # Points that fly away must not make boxes and grids of any size.
        limit = 4 * max(picture.shape)
        for frame_pose in project_motion(motion, self.representation.to_points2d):
            offset = factor * (frame_pose - base)
            length = np.abs(offset)
            offset = np.where(length > limit, offset * (limit / np.maximum(length, limit)), offset)
            yield view.cut(warper.warp(view.to_view(pose + offset)))

    def _warn_of_other_picture(self, picture: Picture, pose: ComplexPoints) -> None:
        points = torch.from_numpy(np.stack([pose.real, pose.imag], axis=-1))
        if outside := outside_points(points, *picture.shape[:2]):
            _log.warning("%s: are the landmarks those of this picture?", outside)
        if is_mirrored(self.representation, pose):
            _log.warning("the landmarks are those of a mirrored face: x must run to the right, and y down")

    def _warn_if_rounded(self, picture: Picture, view: View) -> None:
        """Warn if frames have not the size that was asked for, or that of a whole picture."""
        edge, size = max(view.shown.size), "{} x {}".format(*view.shown.size)
        if self.spec.size is not None and edge != self.spec.size:
            _log.warning("the size %d becomes %d: video encoders need even edges", self.spec.size, edge)
        elif self.spec.size is None and self.spec.crop == "none" and max(picture.shape) <= MAX_DEFAULT_EDGE:
            height, width = picture.shape[:2]
            if height % 2 or width % 2:
                _log.warning("the picture of %d x %d becomes %s: video encoders need even edges", width, height, size)

    def _warn_if_cut(self, picture: Picture, pose: ComplexPoints) -> None:
        head = HeadEllipse(pose, up_direction(pose, self.representation))
        if sides := cut_sides(head, Box(0, 0, picture.shape[1], picture.shape[0])):
            remedy = (
                "a picture with more space around it, or less head motion (--head 0.5, scale_head(0.5)), avoids that"
            )
            message = "the head reaches the border of the picture (%s), where hair stretches when the head moves; %s"
            _log.warning(message, ", ".join(sides), remedy)

    def _view(self, picture: Picture, pose: ComplexPoints) -> View:
        height, width = picture.shape[:2]
        box = around = Box(0, 0, width, height)
        if self.spec.crop == "head":
            head = HeadEllipse(pose, up_direction(pose, self.representation))
            # Never beyond the picture: a border would have to be invented.
            side = min(width, height, even(2 * HALF_HEIGHT * head.face * (1 + self.spec.head_margin)))
            x = min(max(round(head.center.real - side / 2), 0), width - side)
            y = min(max(round(head.center.imag - side / 2), 0), height - side)
            box = Box(x, y, x + side, y + side)
            around = box.grow(round(GROWTH * head.face)).clip(around)
        edge = max(box.size)
        scale = min(edge, MAX_DEFAULT_EDGE) / edge if self.spec.size is None else self.spec.size / edge
        view = View.showing(box, around, scale)
        if self.spec.size is None and edge > MAX_DEFAULT_EDGE:
            size = "{} x {}".format(*view.shown.size)
            _log.warning("the picture is larger than players show and becomes %s; size=N (--size N) sets it", size)
        return view


def _checked(image: Picture | None) -> Picture:
    if image is None:
        raise ImageError("portrait", "a picture", "none", "give image=, or use the renderer 'skeleton'")
    picture = np.asarray(image)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or min(picture.shape[:2]) < 2:
        expected = "a picture uint8 [H, W, 3 or 4] of 2 x 2 pixels or more"
        raise ImageError("portrait", expected, f"{picture.dtype} {list(picture.shape)}")
    return picture
