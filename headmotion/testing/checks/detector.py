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
from ..kit import check

PICTURES: Mapping[str, Callable[[], Picture]] = {
    "a photograph": portrait,
    "a gradient": picture,
    "a small picture": lambda: np.ascontiguousarray(picture()[:16, :24]),
    "a black picture": lambda: np.zeros((64, 80, 3), np.uint8),
}


@check("detector", 1, "Return torch.Tensor [N, P, D] in pixels with N >= 1, and raise headmotion.DetectorError else.")
def detector_finds_or_says_so(subject: Subject) -> None:
    """Of any picture come poses ``[N, P, D]``, finite, N at least 1, or a `DetectorError`."""
    it = subject.context.representation
    for name, found in _found(subject).items():
        assert found.dim() == 3 and len(found), f"{name}: shape {list(found.shape)}"
        assert found.shape[1] == it.points and found.shape[2] >= it.dims, f"{name}: shape {list(found.shape)}"
        assert found.is_floating_point() and found.isfinite().all(), f"{name}: not finite floating-point numbers"


@check("detector", 2, "Sort what was found by the size of the box around its points, largest first.")
def detector_gives_the_largest_first(subject: Subject) -> None:
    """Poses come in the order of their size in the picture, the largest first."""
    for name, found in _found(subject).items():
        edges = found[..., :2].amax(1) - found[..., :2].amin(1)
        sizes = edges.prod(-1)
        assert bool((sizes[:-1] >= 0.5 * sizes[1:]).all()), f"{name}: a far smaller pose comes first"


@check("detector", 2, "Copy the picture before drawing on it or changing its colors.")
def detector_leaves_the_picture_alone(subject: Subject) -> None:
    """The picture is not written to."""
    detector: Detector = subject.build()
    for name, make in PICTURES.items():
        given: Picture = make()
        with contextlib.suppress(DetectorError):
            detector.detect(given)
        assert np.array_equal(given, make()), f"{name} has changed"


def _found(subject: Subject) -> dict[str, Tensor]:
    """What is found in each picture in which something is found."""
    detector: Detector = subject.build()
    result: dict[str, Tensor] = {}
    for name, make in PICTURES.items():
        with contextlib.suppress(DetectorError):
            result[name] = detector.detect(make())
    return result
