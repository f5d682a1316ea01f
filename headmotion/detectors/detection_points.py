"""Where detections are in the picture, also those whose poses have no place in it, such as blend shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.interfaces.detector import Detection, Detector, SupportsRepresentations
from ..core.interfaces.representation import Representation, has_place
from ..representations.specs import Landmarks68Spec, Landmarks683DSpec


@dataclass(frozen=True)
class DetectionPoints:
    """The points of a detector's detections: their poses, or landmarks that the detector gives too."""

    detector: Detector
    """The detector."""
    representation: Representation
    """What the points are."""
    are_poses: bool
    """Whether the points are the poses themselves."""

    @classmethod
    def of(cls, detector: Detector, representation: Representation, landmarks: bool = False) -> DetectionPoints | None:
        """Return the points of a detector; None if it has none.

        Args:
            detector: the detector.
            representation: what it was built for.
            landmarks: prefer landmarks, whose names are more specific, to other points.
        """
        is_placed = has_place(representation)
        if isinstance(detector, SupportsRepresentations) and (landmarks or not is_placed):
            # Depth is worth having, and costs nothing where the detector has it.
            for spec in (Landmarks683DSpec(), Landmarks68Spec()):
                if spec.type in detector.spec.representations:
                    return cls(detector, spec.build(), False)
        return cls(detector, representation, True) if is_placed else None

    def __call__(self, detections: Sequence[Detection]) -> Tensor:
        """Return points ``[n, Q, 2 or 3]`` of ``n`` detections, in their pixels."""
        if not detections:
            return torch.zeros(0, self.representation.points, self.representation.dims)
        if self.are_poses:
            return torch.stack([detection.pose for detection in detections])
        assert isinstance(self.detector, SupportsRepresentations)
        return self.detector.poses_as(detections, self.representation)
