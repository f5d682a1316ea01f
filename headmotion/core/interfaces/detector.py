"""Detector: a representation is found in a picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..component import Component


class Detector(Component):
    """Poses in pictures, in pixels."""

    @abstractmethod
    def detect(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """Return all poses ``[N, P, D]`` in a picture ``uint8 [H, W, 3]``, the largest first, in its pixels.

        Raises:
            DetectorError: nothing was found, or the detector's own model file is missing.
        """


class Tracker(Protocol):
    """Poses in the pictures of one video, given in order."""

    def push(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """Return all poses ``[N, P, D]`` in the next picture ``uint8 [H, W, 3]``, the largest first; N may be 0."""
        ...

    def restart(self) -> None:
        """Forget what was seen: the next picture does not follow the last one, as after a cut."""
        ...


@runtime_checkable
class SupportsTracking(Protocol):
    """A detector that is faster, or steadier, where it has seen the picture before.

    Preparation uses it; a detector without it looks at every picture anew.
    """

    def tracker(self) -> Tracker:
        """Return a tracker that has seen nothing."""
        ...
