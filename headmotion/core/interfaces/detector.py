"""Detector: a representation is found in pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from ..short_repr import fields_repr
from .renderer import Picture
from .representation import Representation
from .specs import DetectorSpec


@dataclass(frozen=True, eq=False)
class Detection:
    """One person in a picture. A detector may return a subclass that keeps what else it knows."""

    pose: Tensor
    """Pose ``[P, D]`` of the representation, in pixels of the picture."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom edge, in pixels of the picture; parts may lie outside of it."""
    score: float = 1.0
    """How sure the detector is, 0..1; 1 where it does not say."""

    __repr__ = fields_repr


class Detector(Component):
    """Poses in pictures, in pixels.

    Further abilities are declared by having the members of `SupportsTracking`, `SupportsRepresentations` and
    `SupportsLabels`.
    """

    spec: DetectorSpec
    """The spec that it was built from."""

    @abstractmethod
    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Return the detections in each of some pictures ``uint8 [H, W, 3]``, the largest first; perhaps none.

        The pictures may differ in size. A detection does not depend on which other pictures are given.

        Raises:
            DetectorError: not such a picture, or the detector does not work on this machine (no model file, no device).
        """


class Tracker(Protocol):
    """Detections in the pictures of one video, given in order."""

    def push(self, image: Picture) -> list[Detection]:
        """Return the detections in the next picture ``uint8 [H, W, 3]``, the largest first; perhaps none."""
        ...

    def restart(self) -> None:
        """Forget the last picture: the next one does not follow the last one, as after a cut."""
        ...


@runtime_checkable
class SupportsTracking(Protocol):
    """A detector that is faster, or steadier, if it has had the picture before it.

    Preparation uses it; a detector without it looks at every picture anew.
    """

    def tracker(self) -> Tracker:
        """Return a new tracker."""
        ...


@runtime_checkable
class SupportsRepresentations(Protocol):
    """A detector that gives each face in several representations after one look.

    It is needed where the representation that it was built for has no place in the picture, as blend shapes have none:
    to follow a face in a video, to cut it out, or to say which of several faces is meant.
    """

    def poses_as(self, detections: Sequence[Detection], representation: Representation) -> Tensor:
        """Return the poses ``[n, P, D]`` of ``n`` detections of this detector or a tracker of it, in their pixels.

        Args:
            detections: as they were returned.
            representation: one of those in `DetectorSpec.representations`.

        Raises:
            SpecError: a representation that the detector does not give.
        """
        ...


@runtime_checkable
class SupportsLabels(Protocol):
    """A detector that measures more than the pose: blend shapes, action units, the direction of the gaze.

    Preparation stores such labels per frame (``--labels``).
    """

    label_names: tuple[str, ...]
    """Names of the ``N`` labels."""

    def labels(self, detections: Sequence[Detection]) -> Tensor:
        """Return the labels ``[n, N]``, float32, of ``n`` detections which this detector or a tracker of it returned.

        They do not depend on the picture's size, so detections whose pose was scaled have the same labels.
        """
        ...


def box_of(points: Tensor) -> tuple[float, float, float, float]:
    """Return the box around points ``[P, 2 or more]``, of which the first two numbers count."""
    (left, top), (right, bottom) = points[:, :2].amin(0).tolist(), points[:, :2].amax(0).tolist()
    return left, top, right, bottom
