"""The motion of a turning head: near parts move further than far ones, and the far side foreshortens.

The head is a dome over its outline, seen from a distance (scaled orthography). How it turns is fitted to the landmarks
with the depth of a mean face; the dome extends that to hair and temples, where there are no landmarks.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, replace

import numpy as np

from ...core.interfaces.representation import Representation
from ...geometry.complex_points import ComplexPoints
from ...representations.point_representation import neutral_3d
from .box import Box
from .head_ellipse import REACH, HeadEllipse
from .openings import rigid_points
from .turn_limit import SolidFace
from .warp import Similarity, trace_back

DOME_HEIGHT = 0.6
"""How far the dome stands out from the outline, in units of the face from chin to brows."""
MAX_LEAN = 0.5
"""Largest sine by which the dome leans; a little beyond it would fold."""
NOISE_ANGLE, NOISE_SCALE = 0.02, 0.04
"""Rotation (radians) and relative change of size that may as well be noise of the landmarks: half of it is applied, and
more of larger ones. Hair is far from the landmarks, so noise would be seen there."""
MIN_FORESHORTENING = 0.55
"""Where the plane of the face shrinks below this part of its size (a turn of 84 degrees), the fit is unreliable."""
STEP, MAX_STEPS = 0.15, 4
"""How far the head and its surroundings move in a step of tracing the flow, in units of the face, up to a number of
steps in which the largest motions of a head do not fold either."""
ITERATIONS, TOLERANCE_PX = 6, 0.02
"""Steps of the fixed-point iteration that inverts the dome's motion: at most, and until no point moves further."""
MIN_JAW_DISTANCE = 0.5
"""The jaw line comes no closer to the face than this part of its distance in the still picture."""


@dataclass(frozen=True)
class HeadMotion:
    """The motion of a head from the still picture to a frame."""

    head: HeadEllipse
    outline: Similarity
    """Motion of the head's outline, apart from foreshortening."""
    foreshortening: complex = 0j
    """A point at ``d`` from the head's center moves by ``foreshortening * conj(d)``."""
    lean: complex = 0j
    """How far the top of the dome moves beyond the outline (px)."""

    def trace_back(self, points: ComplexPoints) -> ComplexPoints:
        """Return where points of the frame came from. Surroundings follow less and less, and neither fold nor tear."""
        by_outline = trace_back(points, self.outline, self.head.weight, self._steps())
        if not (self.foreshortening or self.lean):
            return by_outline
        source, center = by_outline, np.complex64(self.head.center)
        stretch, lean = (np.complex64(value / self.outline.factor) for value in (self.foreshortening, self.lean))
        for _ in range(ITERATIONS):
            weight, bulge = self.head.weight_and_bulge(source)
            previous, source = source, by_outline - weight * (stretch * np.conj(source - center) + lean * bulge)
            if np.abs(source - previous).max() < TOLERANCE_PX:
                break
        return source.astype(points.dtype)

    def shifted(self, shift: complex) -> HeadMotion:
        """Return the motion to a frame in which the head lies elsewhere by ``shift`` (px)."""
        return replace(self, outline=Similarity(self.outline.factor, self.outline.shift + shift))

    def _steps(self) -> int:
        """Return in how many steps the flow is traced: what stays small needs one."""
        moved = abs(self.outline.at(self.head.center) - self.head.center)
        moved += abs(self.outline.factor - 1) * REACH * self.head.face
        return min(MAX_STEPS, 1 + int(moved / (STEP * self.head.face)))

    def box(self) -> Box:
        """Return a box outside of which nothing moves."""
        still = self.head.outline
        moved = self.outline(still) + self.foreshortening * np.conj(still - self.head.center)
        # The dome leans far inside of the outline.
        return Box.around(np.concatenate([still, moved]), 0)


class ParallaxModel:
    """The head in the still picture, to which the head's motion to a frame is fitted.

    Args:
        pose: landmarks ``[P]`` in the still picture.
        head: the ellipse of the head.
        representation: what the landmarks mean. Without depth (see `neutral_3d`) nothing foreshortens.
    """

    def __init__(self, pose: ComplexPoints, head: HeadEllipse, representation: Representation) -> None:
        self.pose, self.head = pose, head
        self.rigid = rigid_points(representation)
        mean_face = neutral_3d(representation)
        self.solid = None if mean_face is None else SolidFace.of(pose, list(self.rigid), mean_face.double())
        self.jaw = list(representation.groups.get("jaw", ()))
        self.face = [point for point in range(len(pose)) if point not in self.jaw]
        offsets = pose[self.jaw][:, None] - pose[self.face]
        self.jaw_distances = np.abs(offsets)
        self.jaw_directions = offsets / np.maximum(self.jaw_distances, 1e-9)

    def fit(self, pose: ComplexPoints) -> HeadMotion:
        """Fit the head's motion to a frame's pose."""
        if self.solid is None:
            return self._flat(pose)
        middle = complex(pose[self.rigid].mean())
        images, scale = self.solid.axes(pose)
        # The plane part of the linear map as a similarity and a reflected one; the axis of depth moves what is near.
        across, down, depth = images.tolist()
        factor, foreshortening, nearer = (across - 1j * down) / 2, (across + 1j * down) / 2, -depth
        # Then the head moves in the plane only, as it does without depth.
        if scale < 1e-3 or abs(factor) < MIN_FORESHORTENING * scale:
            return self._flat(pose)
        # Divided by the scale, the column of depth is the sine of the turn.
        sine = max(abs(nearer) / scale, 1e-12)
        nearer *= min(_shrink_noise(sine, NOISE_ANGLE), MAX_LEAN) / sine
        size = math.exp(_shrink_noise(math.log(abs(factor)), NOISE_SCALE))
        factor = cmath.rect(size, _shrink_noise(cmath.phase(factor), NOISE_ANGLE))
        lean = DOME_HEIGHT * self.head.face * nearer
        # The fit is about the rigid points' center; the head's center moves with it, less what the dome's top adds.
        offset = self.head.center - complex(self.pose[self.rigid].mean())
        center = middle + factor * offset + foreshortening * offset.conjugate() - lean
        return HeadMotion(self.head, Similarity(factor, center - factor * self.head.center), foreshortening, lean)

    def limit_turn(self, pose: ComplexPoints) -> ComplexPoints:
        """Return a pose in which the head is turned no further than the still picture can show."""
        return pose if self.solid is None else self.solid.limit_turn(pose)

    def _flat(self, pose: ComplexPoints) -> HeadMotion:
        return HeadMotion(self.head, Similarity.fit(self.pose[self.rigid], pose[self.rigid]))

    def keep_jaw_outside(self, pose: ComplexPoints) -> ComplexPoints:
        """Return a pose whose jaw line has not slid over or under the face, as that of a turned head does.

        Moving pixels cannot hide a part of the picture, so the line stays a little outside.
        """
        if not (self.jaw and self.face):
            return pose
        factor = Similarity.fit(self.pose[self.rigid], pose[self.rigid]).factor
        outward = factor / abs(factor) * self.jaw_directions
        least = MIN_JAW_DISTANCE * abs(factor) * self.jaw_distances
        moved, rows = pose.copy(), np.arange(len(self.jaw))
        # Each pass moves every jaw point away from the face point that it violates most.
        for _ in range(4):
            distance = ((moved[self.jaw][:, None] - moved[self.face]) * np.conj(outward)).real
            lack = least - distance
            if (lack <= 0).all():
                break
            worst = lack.argmax(axis=1)
            moved[self.jaw] += np.maximum(lack[rows, worst], 0) * outward[rows, worst]
        return moved


def _shrink_noise(value: float, noise: float) -> float:
    """Shrink values towards 0: to half at ``noise``, hardly at all far beyond."""
    return value**3 / (value**2 + noise**2)
