"""Checks of detectors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from ...core.errors import DetectorError
from ...core.interfaces.detector import Detector
from ...core.interfaces.renderer import Picture
from ..build_context import Subject
from ..inputs import picture, portrait
from ..kit import NotApplicable, check

PICTURES: Mapping[str, Callable[[], Picture]] = {
    "a photograph": portrait,
    "a gradient": picture,
    "a small picture": lambda: np.ascontiguousarray(picture()[:16, :24]),
    "a black picture": lambda: np.zeros((64, 80, 3), np.uint8),
}


@check("detector", 1, "Return torch.Tensor [N, P, D] in pixels with N >= 1; otherwise raise headmotion.DetectorError.")
def detector_returns_poses_or_raises(subject: Subject) -> None:
    """For any picture the result is finite poses ``[N, P, D]`` with N at least 1, or a `DetectorError`."""
    representation = subject.context.representation
    for name, detected in _detect_all(subject).items():
        shape = list(detected.shape)
        assert detected.dim() == 3 and len(detected), f"{name}: shape {shape}"
        fits = detected.shape[1] == representation.points and detected.shape[2] >= representation.dims
        assert fits, f"{name}: shape {shape}"
        assert detected.is_floating_point() and detected.isfinite().all(), f"{name}: not finite floating-point numbers"


@check("detector", 2, "Sort the poses by the area of the box around their points, largest first.")
def detector_sorts_by_size(subject: Subject) -> None:
    """Poses are in the order of their size in the picture, the largest first."""
    detections = _detect_all(subject)
    if not detections:
        raise NotApplicable("it detects nothing in the kit's pictures")
    for name, detected in detections.items():
        edges = detected[..., :2].amax(1) - detected[..., :2].amin(1)
        areas = edges.prod(-1)
        # Half is tolerated, because detectors sort by boxes of their own.
        assert bool((areas[:-1] >= 0.5 * areas[1:]).all()), f"{name}: a far smaller pose comes first"


@check("detector", 2, "Copy the picture before drawing on it or changing its colors.")
def detector_does_not_modify_the_picture(subject: Subject) -> None:
    """The picture is not written to."""
    detector: Detector = subject.build()
    for name, make in PICTURES.items():
        image: Picture = make()
        with contextlib.suppress(DetectorError):  # finding nothing is allowed; writing is not
            detector.detect(image)
        assert np.array_equal(image, make()), f"{name} has changed"


def _detect_all(subject: Subject) -> dict[str, Tensor]:
    """Return the detections of each picture in which something is detected."""
    detector: Detector = subject.build()
    detections: dict[str, Tensor] = {}
    for name, make in PICTURES.items():
        with contextlib.suppress(DetectorError):
            detections[name] = detector.detect(make())
    return detections
