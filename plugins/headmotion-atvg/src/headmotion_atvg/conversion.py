"""Converters between landmarks and their PCA coordinates. Reading this module does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import headmotion as hm

from .specs import LandmarkPCASpec

if TYPE_CHECKING:
    from torch import Tensor

    from .landmark_pca import LandmarkPCA


def to_coefficients(motion: hm.Motion, target: hm.Representation | None = None) -> hm.Motion:
    """Project landmarks on the basis of the target.

    Raises:
        MotionError: the basis is not fitted.
    """
    built = cast("LandmarkPCA", LandmarkPCASpec().build() if target is None else target)
    built.require_fitted()
    face = motion.build_representation()
    square = motion.frame or face.frame_of(motion.values[:1] if len(motion) else motion.values)

    def project(values: Tensor) -> Tensor:
        unit = values if motion.units == "unit" else face.normalize(values, square)
        return built.encode(unit[..., :2]).unsqueeze(-1)

    return replace(_mapped(motion, project, built.spec.model_dump(mode="json")), frame=square)


def to_landmarks(motion: hm.Motion, target: hm.Representation | None = None) -> hm.Motion:
    """Return the face that coefficients describe, in the motion's square."""
    built = cast("LandmarkPCA", motion.build_representation())
    face = built.face

    def reconstruct(values: Tensor) -> Tensor:
        unit = built.decode(values[..., 0])
        return unit if motion.units == "unit" or motion.frame is None else face.denormalize(unit, motion.frame)

    units = "unit" if motion.frame is None else motion.units
    return replace(_mapped(motion, reconstruct, face.spec.model_dump(mode="json")), units=units)


def _mapped(motion: hm.Motion, convert: Callable[[Tensor], Tensor], representation: dict[str, object]) -> hm.Motion:
    reference = None if motion.reference is None else convert(motion.reference)
    return replace(motion, values=convert(motion.values), reference=reference, representation=representation)


CONVERTERS = (
    hm.Converter(
        "landmarks68", "atvg/landmark-pca", to_coefficients, "who speaks, movements of the head, and small deformations"
    ),
    hm.Converter("atvg/landmark-pca", "landmarks68", to_landmarks, "nothing more: the mean face is drawn"),
)
"""Both directions."""
