"""Points of the image plane as complex numbers, in which rotations and similarities are products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..core.errors import MotionError
from ..core.motion import Motion

ComplexPoints = npt.NDArray[np.complexfloating[Any, Any]]
"""Positions or displacements ``x + iy``, any shape; x right, y down."""
Projection = Callable[[torch.Tensor], torch.Tensor]
"""Poses ``[..., P, D]`` to image positions ``[..., N, 2]``, such as `Representation.to_points2d`."""


def as_complex(points: npt.ArrayLike) -> ComplexPoints:
    """Return points ``[..., 2]`` as complex numbers ``[...]``."""
    values = np.asarray(points, dtype=np.float64)
    complex_points: ComplexPoints = values[..., 0] + 1j * values[..., 1]
    return complex_points


def project_pose(values: torch.Tensor | npt.ArrayLike, project: Projection, name: str) -> ComplexPoints:
    """Return the image positions ``[..., N]`` of poses ``[..., P, D]``.

    Args:
        values: the poses.
        project: how the representation draws them.
        name: what error messages call them.

    Raises:
        MotionError: another number of points, or values that are not finite.
    """
    tensor = torch.as_tensor(values) if isinstance(values, torch.Tensor) else torch.tensor(np.asarray(values))
    points = project(tensor.detach().cpu()).numpy().astype(np.float64)
    if not np.isfinite(points).all():
        raise MotionError("motion", "finite positions", f"NaN or infinity in {name}")
    return as_complex(points)


def project_motion(motion: Iterable[Motion], project: Projection) -> Iterator[ComplexPoints]:
    """Return the image positions ``[N]`` of each frame, in pixels of the motion.

    Args:
        motion: consecutive parts of one motion.
        project: how the representation draws its poses.

    Raises:
        MotionError: another unit than pixels, another number of points, or values that are not finite.
    """
    first_frame = 0
    for part in motion:
        if part.units != "px":
            raise MotionError("motion", "pixels (units 'px')", f"units {part.units!r}", "denormalize it first")
        yield from project_pose(part.values, project, f"frame {first_frame} and following")
        first_frame += len(part)
