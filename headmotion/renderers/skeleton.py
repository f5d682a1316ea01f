"""Lines and points of any representation on a plain background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

from ..core.interfaces.renderer import Picture, Renderer
from ..core.interfaces.representation import Representation, SupportsDrawing
from ..core.motion import Motion
from ..geometry.complex_points import Plane, Projection, plane_of, plane_poses
from .specs import Color, SkeletonSpec

SHIFT = 4
"""Positions are handed to the drawing routines in sixteenths of a pixel."""


class Skeleton(Renderer):
    """Anti-aliased lines along the representation's edges and a dot at every point; no picture is needed.

    A representation that `SupportsDrawing` gives its own lines, to places of its own beside the points.
    """

    needs_image = False
    spec: SkeletonSpec

    def __init__(self, spec: SkeletonSpec, representation: Representation) -> None:
        super().__init__(spec)
        self.project: Projection = representation.to_points2d
        self.edges = representation.edges
        if isinstance(representation, SupportsDrawing):
            self.project, self.edges = representation.to_drawing2d, representation.drawing_edges
        self.size = spec.size + spec.size % 2
        members = {name: set(representation.groups.get(name, ())) for name in spec.group_colors}
        self.point_colors = [self._color(members, {point}) for point in range(representation.points)]
        points = set(range(representation.points))
        self.edge_colors = [self._color(members, set(edge) & points) for edge in self.edges]

    def frames(
        self, motion: Iterable[Motion], image: Picture | None = None, landmarks: npt.ArrayLike | None = None
    ) -> Iterator[Picture]:
        """One square picture per frame; the view is fitted to the motion's reference, else to its first frame.

        Args:
            motion: consecutive pieces of one motion, in pixels.
            image: not used.
            landmarks: not used.

        Raises:
            MotionError: another unit than pixels, another number of points, or values that are not finite.
        """
        pieces = iter(motion)
        for first in pieces:
            if len(first):
                start = first.values[0] if first.reference is None else first.reference
                view = self._view(plane_of(start, self.project, "the reference"))
                for pose in plane_poses(chain([first], pieces), self.project):
                    yield self._draw((pose - view[0]) * view[1] + complex(self.size - 1, self.size - 1) / 2)

    def _view(self, pose: Plane) -> tuple[complex, float]:
        """Center and scale that fit a pose, with its margin, into the picture."""
        low = complex(pose.real.min(), pose.imag.min())
        high = complex(pose.real.max(), pose.imag.max())
        edge = max((high - low).real, (high - low).imag)
        return (low + high) / 2, self.size / (edge * (1 + 2 * self.spec.margin)) if edge > 0 else 1.0

    def _draw(self, pose: Plane) -> Picture:
        picture = np.full((self.size, self.size, 3), self.spec.background, np.uint8)
        places = np.stack([pose.real, pose.imag], axis=-1).clip(-8 * self.size, 9 * self.size)
        fixed = [(int(x), int(y)) for x, y in np.rint(places * (1 << SHIFT))]
        for (start, end), color in zip(self.edges, self.edge_colors, strict=True):
            cv2.line(picture, fixed[start], fixed[end], color, self.spec.line_width, cv2.LINE_AA, SHIFT)
        radius = round(self.spec.point_radius * (1 << SHIFT))
        for place, color in zip(fixed, self.point_colors, strict=False):  # points come first
            if radius:
                cv2.circle(picture, place, radius, color, cv2.FILLED, cv2.LINE_AA, SHIFT)
        return picture

    def _color(self, members: dict[str, set[int]], points: set[int]) -> Color:
        """The color of the first group that holds all of the points, if there are any."""
        for name, color in self.spec.group_colors.items():
            if points and points <= members[name]:
                return color
        return self.spec.color
