"""Detectors for representations that they do not give themselves, but that converters make of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import torch
from torch import Tensor
from typing_extensions import override

from ..core.conversion import route
from ..core.interfaces.detector import (
    Detection,
    Detector,
    SupportsLabels,
    SupportsRepresentations,
    SupportsTracking,
    Tracker,
)
from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext, DetectorSpec, resolve_spec
from ..core.motion import Motion
from ..core.plugins import registry


def build_detector(spec: DetectorSpec, context: BuildContext) -> Detector:
    """Build a detector for the context's representation: one that it gives, or one that converters make of it.

    Only converters that convert each pose by itself count, because a picture has no other frames.

    Args:
        spec: of the detector.
        context: gives the representation.

    Raises:
        SpecError: the detector gives nothing of which the representation can be made.
    """
    target = context.representation.spec.type_name()
    if target in spec.representations:
        return spec.build(context)
    converters = [converter for converter in registry().converters.values() if converter.framewise]
    paths = {detected: route(converters, detected, target) for detected in spec.representations}
    sources = sorted((detected for detected in paths if paths[detected]), key=lambda detected: len(paths[detected]))
    if not sources:
        return spec.build(context)
    source = resolve_spec("representation", sources[0]).build()
    return ConvertedDetector(spec.build(replace(context, representation=source)), source, context.representation)


class ConvertedDetector(Detector):
    """A detector whose poses are converted; what else it can do, it still can.

    Args:
        detector: finds poses of ``source``.
        source: what it finds.
        target: what its poses become.
    """

    def __init__(self, detector: Detector, source: Representation, target: Representation) -> None:
        super().__init__(detector.spec)
        self.inner, self._source, self._target = detector, source.spec.model_dump(mode="json"), target
        # Abilities are declared by having their members, so that only those of the inner detector are there.
        if isinstance(detector, SupportsRepresentations):
            self.poses_as = detector.poses_as
        if isinstance(detector, SupportsLabels):
            self.label_names, self.labels = detector.label_names, detector.labels
        if isinstance(detector, SupportsTracking):
            inner = detector
            self.tracker = lambda: _ConvertedTracker(inner.tracker(), self)

    @override
    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        return [self.converted(detections) for detections in self.inner.detect(images)]

    def converted(self, detections: Sequence[Detection]) -> list[Detection]:
        """Return detections of the inner detector with converted poses."""
        if not detections:
            return []
        poses: Tensor = torch.stack([detection.pose for detection in detections])
        values = Motion(poses, Fraction(1), self._source).to(self._target).values
        return [replace(detection, pose=pose) for detection, pose in zip(detections, values, strict=True)]


class _ConvertedTracker:
    def __init__(self, inner: Tracker, detector: ConvertedDetector) -> None:
        self._inner, self._detector = inner, detector

    def push(self, image: Picture) -> list[Detection]:
        """Return the converted detections in the next picture."""
        return self._detector.converted(self._inner.push(image))

    def restart(self) -> None:
        """Forget the faces of the last picture."""
        self._inner.restart()
