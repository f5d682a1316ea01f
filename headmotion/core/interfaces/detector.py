"""Detector: a representation is found in a picture."""

from __future__ import annotations

from abc import abstractmethod

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
