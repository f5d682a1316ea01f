"""What is varied in the crops of a batch together: speed, mirror, and the representation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.interfaces.representation import Representation, SupportsFitting, UnitSquare
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from ..representations.mirror_names import mirror_by_name
from .crops import Crop
from .resample_time import resample_time


def stretched(crops: Crop, frames: int) -> Crop:
    """Return stacked crops whose motion and labels have their speed, ``frames`` frames each."""
    motion = resample_time(crops.motion, crops.time_stretch, frames)
    labels = None if crops.labels is None else resample_time(crops.labels, crops.time_stretch, frames)
    return crops._replace(motion=motion, labels=labels)


def mirrored(crops: Crop, representation: Representation, label_names: Sequence[str]) -> Crop:
    """Return stacked crops of which some are seen in a mirror: motion, pictures, and labels that name left or right."""
    rows = crops.is_mirrored
    if not rows.any():  # a representation need not mirror none
        return crops

    def flip(poses: Tensor | None) -> Tensor | None:
        return None if poses is None else _replace_rows(poses, rows, representation.flip(poses[rows]))

    def flip_pictures(pictures: Tensor | None) -> Tensor | None:
        return None if pictures is None else _replace_rows(pictures, rows, pictures[rows].flip(-1))

    labels = crops.labels
    if labels is not None:
        labels = _replace_rows(labels, rows, labels[rows][..., list(mirror_by_name(label_names))])
    return crops._replace(
        motion=_replace_rows(crops.motion, rows, representation.flip(crops.motion[rows])),
        labels=labels,
        frames=flip_pictures(crops.frames),
        identity=flip_pictures(crops.identity),
        identity_pose=flip(crops.identity_pose),
        picture_motion=flip(crops.picture_motion),
    )


def converted(crops: Crop, recorded: Representation, context: BuildContext) -> Crop:
    """Return stacked crops with motion in the pipeline's representation, where that is fitted to the recorded one."""
    if not isinstance(context.representation, SupportsFitting):
        return crops
    spec, square = recorded.spec.model_dump(mode="json"), UnitSquare(0.5, 0.5, 1.0)
    motions = [Motion(motion, context.fps, spec, square, "unit") for motion in crops.motion]
    return crops._replace(motion=torch.stack([motion.to(context.representation).values for motion in motions]))


def _replace_rows(values: Tensor, rows: Tensor, new: Tensor) -> Tensor:
    """Return ``[B, ...]`` with new rows where ``rows`` ``[B]`` is true."""
    result = values.clone()
    result[rows] = new
    return result
