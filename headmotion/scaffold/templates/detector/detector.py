"""BrightBox: a detector that fits the resting pose into the box around all bright pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import Tensor

from headmotion import BuildContext, Detector, DetectorError, UnitSquare

if TYPE_CHECKING:
    from .specs import BrightBoxSpec


class BrightBox(Detector):
    """The resting pose in the box around all bright pixels. A real detector would run a network instead."""

    def __init__(self, spec: BrightBoxSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.threshold, self.representation = spec.threshold, context.representation

    def detect(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """Return all poses ``[N, P, D]`` in a picture ``uint8 [H, W, 3]``, in pixels; here N is 1.

        Raises:
            DetectorError: nothing in the picture is bright.
        """
        rows, columns = np.nonzero(image.mean(axis=2) >= self.threshold)
        if len(rows) < 2 or max(np.ptp(rows), np.ptp(columns)) < 4:
            raise DetectorError(self.spec.type_name(), "something bright in the picture", "nothing")
        center_x, center_y = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
        side = 2 * max(np.ptp(rows), np.ptp(columns))
        frame = UnitSquare(float(center_x), float(center_y), float(side))
        return self.representation.denormalize(self.representation.neutral(), frame).unsqueeze(0)
