"""Lines and points of any representation on a plain background."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..core.interfaces.renderer import Picture, Renderer
from ..core.interfaces.representation import Representation, SupportsDrawing, SupportsPoints2D, require_points2d
from ..core.motion import Motion
from ..geometry.complex_points import ComplexPoints, Projection, project_motion, project_pose
from .specs import Color, SkeletonSpec

SUBPIXEL_BITS = 4
"""OpenCV's drawing functions take positions in sixteenths of a pixel."""

_log = logging.getLogger("headmotion")


class Skeleton(Renderer):
    """Anti-aliased lines along the representation's edges and a dot at every point; no picture is needed.

    A representation that `SupportsDrawing` has its own lines, some of them to positions that are none of its points.
    """

    needs_image = False
    spec: SkeletonSpec

    def __init__(self, spec: SkeletonSpec, representation: Representation) -> None:
        super().__init__(spec)
        self.project: Projection = partial(_refuse, representation)
        self.edges: tuple[tuple[int, int], ...] = ()
        if isinstance(representation, SupportsPoints2D):
            self.project, self.edges = representation.to_points2d, representation.edges
        if isinstance(representation, SupportsDrawing):
            self.project, self.edges = representation.to_drawing2d, representation.drawing_edges
        # Video encoders need even edges.
        self.size = spec.size + spec.size % 2
        members = {name: set(representation.groups.get(name, ())) for name in spec.group_colors}
        self.point_colors = [self._color(members, {point}) for point in range(representation.points)]
        points = set(range(representation.points))
        self.edge_colors = [self._color(members, set(edge) & points) for edge in self.edges]

    def frames(
        self,
        motion: Iterable[Motion],
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Picture]:
        """Render one square picture per frame; the view fits the motion's reference, or else its first frame.

        Args:
            motion: consecutive parts of one motion, in pixels.
            image: ignored.
            landmarks: ignored.
            audio: ignored.

        Raises:
            MotionError: another unit than pixels, another number of points, values that are not finite, or a
                representation that can neither be drawn nor has points in the picture.
        """
        if self.size != self.spec.size:
            _log.warning("the size %d becomes %d: video encoders need even edges", self.spec.size, self.size)
        motion = iter(motion)
        for first in motion:
            if len(first):
                reference = first.values[0] if first.reference is None else first.reference
                center, scale = self._view(project_pose(reference, self.project, "the reference"))
                for pose in project_motion(chain([first], motion), self.project):
                    yield self._draw((pose - center) * scale + complex(self.size - 1, self.size - 1) / 2)

    def _view(self, pose: ComplexPoints) -> tuple[complex, float]:
        """Return the center and scale that fit a pose, with its margin, into the picture."""
        low = complex(pose.real.min(), pose.imag.min())
        high = complex(pose.real.max(), pose.imag.max())
        edge = max((high - low).real, (high - low).imag)
        return (low + high) / 2, self.size / (edge * (1 + 2 * self.spec.margin)) if edge > 0 else 1.0

    def _draw(self, pose: ComplexPoints) -> Picture:
        picture = np.full((self.size, self.size, 3), self.spec.background, np.uint8)
        # Points that fly away would overflow OpenCV's integers.
        points = np.stack([pose.real, pose.imag], axis=-1).clip(-8 * self.size, 9 * self.size)
        fixed = [(int(x), int(y)) for x, y in np.rint(points * (1 << SUBPIXEL_BITS))]
        for (start, end), color in zip(self.edges, self.edge_colors, strict=True):
            cv2.line(picture, fixed[start], fixed[end], color, self.spec.line_width, cv2.LINE_AA, SUBPIXEL_BITS)
        radius = round(self.spec.point_radius * (1 << SUBPIXEL_BITS))
        for point, color in zip(fixed, self.point_colors, strict=False):  # the representation's points come first
            if radius:
                cv2.circle(picture, point, radius, color, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)
        return picture

    def _color(self, members: dict[str, set[int]], points: set[int]) -> Color:
        """Return the color of the first group that contains all of the points, if there are any."""
        for name, color in self.spec.group_colors.items():
            if points and points <= members[name]:
                return color
        return self.spec.color


def _refuse(representation: Representation, values: Tensor) -> Tensor:
    """Take the place of a projection; a pipeline can be built without one, but its motion cannot be drawn."""
    require_points2d(representation, "renderer skeleton")
    return values
