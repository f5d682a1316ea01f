"""Distance of landmarks that a detector finds in generated pictures from the recorded ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from ..core.interfaces.detector import SupportsTracking
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from ..core.interfaces.renderer import Picture
from ..core.interfaces.specs import BuildContext
from ..core.outputs import checked_detections
from ..detectors.resolve import detector_spec
from .landmark_distance import centered_distance
from .measurement import group_points, mean_over_clips, scalar
from .picture_similarity import checked_pictures
from .specs import RedetectedDistanceSpec


class RedetectedDistance(Metric):
    """LMD of landmarks that are detected in the generated pictures, so that it measures what a viewer sees.

    Frames in which the detector finds no face are left out and counted.
    """

    needs = frozenset({"pictures"})
    better: Mapping[str, Literal["lower", "higher"]] = {
        "lmd_redetected_px": "lower",
        "lmd_redetected_scale": "lower",
        "faces_found": "higher",
    }

    def __init__(self, spec: RedetectedDistanceSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.representation, self.every = context.representation, spec.every
        self.points = group_points(context.representation, spec.group, "lmd-redetected")
        resolved = detector_spec(spec.detector)
        self.detector_fields = resolved.model_dump(mode="json")
        self.detector = resolved.build(context)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The group, the detector and the step between frames."""
        return self.spec.model_dump(mode="json") | {"detector": self.detector_fields}

    @override
    @torch.no_grad()
    def observe(self, clip: MetricInput) -> Observation:
        pair = checked_pictures(clip, "lmd-redetected")
        pictures = pair.generated[:: self.every].permute(0, 2, 3, 1).contiguous().numpy()
        poses = self._poses(list(pictures))
        detected = [number for number, pose in enumerate(poses) if pose is not None]
        share = scalar(len(detected) / len(poses))
        if not detected:
            return {"found": share}
        real = self.representation.to_points2d(pair.motion[:: self.every]).double()
        left, right = self.representation.scale_pair
        size = (real[:, left] - real[:, right]).norm(dim=-1).median()
        generated = self.representation.to_points2d(torch.stack([pose for pose in poses if pose is not None])).double()
        distance = centered_distance(generated[:, self.points], real[detected][:, self.points])
        return {"found": share, "px": distance, "size": size}

    def _poses(self, pictures: Sequence[Picture]) -> list[Tensor | None]:
        """Return the pose of the largest face in each picture of a clip; None where there is no face."""
        if isinstance(self.detector, SupportsTracking):
            tracker = self.detector.tracker()
            detections = [tracker.push(picture) for picture in pictures]
        else:
            detections = self.detector.detect(pictures)
        checked = checked_detections(self.detector, detections, len(pictures))
        return [faces[0].pose if faces else None for faces in checked]

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the distance in pixels and in distances of the scale pair, and the share of frames with a face."""
        values = {"faces_found": float(observed["found"])}
        if "px" in observed:
            distance = float(observed["px"])
            values |= {"lmd_redetected_px": distance}
            if float(observed["size"]) > 0:
                values |= {"lmd_redetected_scale": distance / float(observed["size"])}
        return values

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)
