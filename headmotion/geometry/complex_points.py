"""The poses of a motion as points of the plane, checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..core.errors import MotionError
from ..core.motion import Motion

Plane = npt.NDArray[np.complexfloating[Any, Any]]
"""Complex positions or displacements ``x + iy``, any shape."""
Projection = Callable[[torch.Tensor], torch.Tensor]
"""Poses ``[..., P, D]`` to image positions ``[..., N, 2]``, such as `Representation.to_points2d`."""


def plane_poses(motion: Iterable[Motion], project: Projection) -> Iterator[Plane]:
    """Complex positions ``[N]`` of each frame, in pixels of the motion.

    Raises:
        MotionError: another unit than pixels, another number of points, or values that are not finite.
    """
    done = 0
    for piece in motion:
        if piece.units != "px":
            raise MotionError("motion", "pixels (units 'px')", f"units {piece.units!r}", "denormalize it first")
        yield from plane_of(piece.values, project, f"frame {done} and following")
        done += len(piece)


def plane_of(values: torch.Tensor | npt.ArrayLike, project: Projection, name: str) -> Plane:
    """Complex positions ``[..., N]`` of poses ``[..., P, D]``.

    Raises:
        MotionError: another number of points, or values that are not finite.
    """
    tensor = torch.as_tensor(values) if isinstance(values, torch.Tensor) else torch.tensor(np.asarray(values))
    points = project(tensor.detach().cpu()).numpy().astype(np.float64)
    if not np.isfinite(points).all():
        raise MotionError("motion", "finite positions", f"NaN or infinity in {name}")
    plane: Plane = points[..., 0] + 1j * points[..., 1]
    return plane
