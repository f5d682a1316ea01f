"""The poses of a motion as points of the plane, checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from ..core.errors import MotionError
from ..core.motion import Motion
from ..core.representation import Representation
from .warp import Plane


def plane_poses(motion: Iterable[Motion], representation: Representation) -> Iterator[Plane]:
    """Complex positions ``[P]`` of each frame, in pixels of the motion.

    Raises:
        MotionError: another unit than pixels, another number of points, or values that are not finite.
    """
    done = 0
    for piece in motion:
        if piece.units != "px":
            raise MotionError("motion", "pixels (units 'px')", f"units {piece.units!r}", "denormalize it first")
        yield from plane_of(piece.values, representation, f"frame {done} and following")
        done += len(piece)


def plane_of(values: torch.Tensor | npt.ArrayLike, representation: Representation, name: str) -> Plane:
    """Complex positions ``[..., P]`` of poses ``[..., P, D]``.

    Raises:
        MotionError: another number of points, or values that are not finite.
    """
    tensor = torch.as_tensor(values) if isinstance(values, torch.Tensor) else torch.tensor(np.asarray(values))
    points = representation.to_points2d(tensor.detach().cpu()).numpy().astype(np.float64)
    if not np.isfinite(points).all():
        raise MotionError("motion", "finite positions", f"NaN or infinity in {name}")
    plane: Plane = points[..., 0] + 1j * points[..., 1]
    return plane
