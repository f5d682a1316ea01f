"""How far the head of a picture can turn: the less, the further it is turned in the picture already.

What a turn brings into sight is not in the picture. Of a face from the front little is missing; in one that is seen
from the side, the far half is a strip of few pixels, of which a turn would make two brows and two eyes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...geometry.complex_points import ComplexPoints
from ...geometry.rigid_fit import centered_inverse, fit_orthographic_pose, nearest_orthographic

MAX_TURN = 0.6
"""Sine that a turn from a picture of the front does not reach (37 degrees)."""
POWER = 3
"""The limit falls by this power of the cosine of the turn in the picture: to 16 degrees at 40, to 4 at 60."""
FREE_SHARE = 2 / 3
"""Turns up to this share of the limit stay as they are."""


@dataclass(frozen=True)
class SolidFace:
    """The landmarks in the still picture with the depth of a mean face that is turned like this one."""

    flat: ComplexPoints
    """Positions ``[P]`` relative to the mean of the rigid points (px)."""
    depths: npt.NDArray[np.float64]
    """Depths ``[P]`` relative to the same, away from the viewer (px)."""
    inverse: npt.NDArray[np.float64]
    """Pseudo-inverse ``[3, N]`` of the rigid points, by which a pose is fitted."""
    rigid: list[int]
    """The ``N`` rigid points."""
    max_turn: float
    """Sine that a turn from the still picture does not reach."""

    @staticmethod
    def of(pose: ComplexPoints, rigid: list[int], mean_face: Tensor) -> SolidFace:
        """Return the face of a pose ``[P]``, with the depth of ``mean_face [P, 3]``."""
        flat = pose - pose[rigid].mean()
        points = torch.from_numpy(np.stack([flat.real, flat.imag], axis=-1).astype(np.float64))
        fitted = fit_orthographic_pose(mean_face[rigid], points[None, rigid])
        depths = fitted.scale * ((mean_face - mean_face[rigid].mean(dim=0)) @ fitted.rotation[0].T)[:, 2]
        inverse = centered_inverse(torch.cat([points, depths[:, None]], dim=1)[rigid]).numpy()
        cosine = max(float(fitted.rotation[0, 2, 2]), 0.0)
        return SolidFace(flat, depths.numpy(), inverse, rigid, MAX_TURN * cosine**POWER)

    def axes(self, pose: ComplexPoints) -> tuple[npt.NDArray[np.complex128], float]:
        """Return the images ``[3]`` of x, y and depth in a frame, and its scale."""
        return nearest_orthographic(self.inverse @ (pose[self.rigid] - pose[self.rigid].mean()))

    def limit_turn(self, pose: ComplexPoints) -> ComplexPoints:
        """Return a frame's pose with the head turned no further than the picture can show; its expression is kept."""
        axes, scale = self.axes(pose)
        across, down, depth = axes.tolist()
        factor, sine = (across - 1j * down) / 2, abs(depth) / max(scale, 1e-12)
        limited = _soft_limit(sine, self.max_turn)
        if limited == sine or abs(factor) < 1e-6 * scale:
            return pose
        # Seen along the axis, a turn is given by its phase in the plane and the image of depth; the plane foreshortens.
        depth *= limited / sine
        factor *= scale * (1 + math.sqrt(1 - limited**2)) / 2 / abs(factor)
        stretch = -depth * depth / (4 * factor)
        turned = factor * self.flat + stretch * self.flat.conj() + depth * self.depths
        rigid: ComplexPoints = across * self.flat.real + down * self.flat.imag + axes[2] * self.depths
        limited_pose: ComplexPoints = pose + (turned - rigid)
        return limited_pose


def _soft_limit(value: float, limit: float) -> float:
    """Return a value unchanged up to a share of the limit, and then ever closer to it."""
    free = FREE_SHARE * limit
    if value <= free:
        return value
    return free + (limit - free) * math.tanh((value - free) / max(limit - free, 1e-9))
