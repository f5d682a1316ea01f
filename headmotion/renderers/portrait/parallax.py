"""How a turning head is seen: what is nearer moves further, and the far side foreshortens.

The head is a dome over its outline, seen from afar (scaled orthography). Landmarks say how it turns, by the depth of a
mean face; the dome says what becomes of hair and temples, where there are no landmarks.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...core.interfaces.representation import Representation
from ...geometry.complex_points import Plane
from ...geometry.rigid_fit import fit_orthographic_pose
from ...representations.point_representation import neutral_3d
from .head_ellipse import Head
from .openings import still_points
from .warp import Similarity, trace_back

DEPTH = 0.6
"""How far the dome stands out from the outline, in units of the face from chin to brows."""
STEEPEST = 0.5
"""Largest sine by which the dome leans: a little beyond it would fold."""
DOUBT, DOUBT_SIZE = 0.02, 0.04
"""Angle of a turn (radians), and part by which a head grows, that may as well be noise of the landmarks: half of it is
believed, and more of more. Hair is far from the landmarks, where noise would be seen."""
PROFILE = 0.55
"""Where the plane of the face shrinks to this part of its size (a turn of 84 degrees), the fit means nothing."""
PATIENCE = 6
"""Steps of the fixed-point iteration that inverts the dome's motion."""
SQUEEZE = 0.5
"""The jaw line comes no closer to the face than this part of its distance in the still picture."""


@dataclass(frozen=True)
class Turn:
    """The motion of a head from the still picture to a frame."""

    head: Head
    outline: Similarity
    """What the outline of the head does, apart from foreshortening."""
    narrowing: complex = 0j
    """Foreshortening: a place ``d`` beside the head's center moves by ``narrowing * conj(d)``."""
    lean: complex = 0j
    """How far the top of the dome moves beyond the outline, in pixels."""

    def back(self, places: Plane) -> Plane:
        """Where ``places`` came from. The surroundings follow the outline less and less, and neither fold nor tear."""
        home = trace_back(places, self.outline, self.head.weight)
        if not (self.narrowing or self.lean):
            return home
        source = home
        for _ in range(PATIENCE):
            source = home - self.head.weight(source) * self._beyond(source)
        return source.astype(places.dtype)

    def _beyond(self, places: Plane) -> Plane:
        """What the head does beyond its outline, at positions in the still picture."""
        shift = self.narrowing * np.conj(places - self.head.center) + self.lean * self.head.bulge(places)
        beyond: Plane = shift / self.outline.turn
        return beyond


class Turning:
    """What is known of a sitter's head from the still picture, and how it has turned in a frame.

    Args:
        pose: complex positions ``[P]`` of the landmarks in the still picture.
        head: where the head is.
        representation: what the landmarks mean. Without depth (see `neutral_3d`) nothing foreshortens.
    """

    def __init__(self, pose: Plane, head: Head, representation: Representation) -> None:
        self.pose, self.head = pose, head
        self.still = still_points(representation)
        solid = neutral_3d(representation)
        self.shape = None if solid is None else self._shape(solid.double()[self.still])
        self.jaw = list(representation.groups.get("jaw", ()))
        self.face = [point for point in range(len(pose)) if point not in self.jaw]

    def to(self, pose: Plane) -> Turn:
        """The head's motion to a frame's pose."""
        flat = Turn(self.head, Similarity.fit(self.pose[self.still], pose[self.still]))
        if self.shape is None:
            return flat
        found = fit_orthographic_pose(self.shape, _as_tensor(pose[self.still])[None])
        scale = float(found.scale[0])
        (a, b, x), (c, d, y) = (scale * found.rotation[0, :2].numpy()).tolist()
        turn, narrowing, nearer = complex(a + d, c - b) / 2, complex(a - d, c + b) / 2, -complex(x, y)
        if scale < 1e-3 or abs(turn) < PROFILE * scale:
            return flat
        sine = max(abs(nearer) / scale, 1e-12)
        nearer *= min(_believed(sine, DOUBT), STEEPEST) / sine
        turn = cmath.rect(math.exp(_believed(math.log(abs(turn)), DOUBT_SIZE)), _believed(cmath.phase(turn), DOUBT))
        lean = DEPTH * self.head.face * nearer
        apart = self.head.center - complex(self.pose[self.still].mean())
        center = complex(pose[self.still].mean()) + turn * apart + narrowing * apart.conjugate() - lean
        return Turn(self.head, Similarity(turn, center - turn * self.head.center), narrowing, lean)

    def unfolded(self, pose: Plane) -> Plane:
        """A pose in which the jaw line has not slid over or under the face, as that of a turned head does in a picture.

        What is hidden there cannot be shown by moving pixels: the line stays a little outside.
        """
        if not (self.jaw and self.face):
            return pose
        turn = Similarity.fit(self.pose[self.still], pose[self.still]).turn
        apart = self.pose[self.jaw][:, None] - self.pose[self.face]
        outward = turn * apart / np.maximum(np.abs(turn * apart), 1e-9)
        least = SQUEEZE * np.abs(turn * apart)
        moved, rows = pose.copy(), np.arange(len(self.jaw))
        for _ in range(4):
            distance = ((moved[self.jaw][:, None] - moved[self.face]) * np.conj(outward)).real
            lack = least - distance
            worst = lack.argmax(axis=1)
            moved[self.jaw] += np.maximum(lack[rows, worst], 0) * outward[rows, worst]
        return moved

    def _shape(self, solid: Tensor) -> Tensor:
        """The skull's points ``[N, 3]`` as in the still picture, with the depth of a mean head turned like this one."""
        seen = _as_tensor(self.pose[self.still])
        posed = fit_orthographic_pose(solid, seen[None])
        depth = posed.scale * ((solid - solid.mean(dim=0)) @ posed.rotation[0].T)[:, 2]
        return torch.cat([seen - seen.mean(dim=0), depth[:, None]], dim=1)


def _believed(value: float, doubt: float) -> float:
    return value**3 / (value**2 + doubt**2)


def _as_tensor(places: Plane) -> Tensor:
    return torch.from_numpy(np.stack([places.real, places.imag], axis=-1).astype(np.float64))
