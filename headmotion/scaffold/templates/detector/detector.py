"""The resting pose in the box around what is bright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from torch import Tensor

from headmotion import BuildContext, Detector, DetectorError, UnitSquare

if TYPE_CHECKING:
    from .specs import BrightBoxSpec


class BrightBox(Detector):
    """One pose, or a `DetectorError`; a network would find a pose where this fits a fixed one."""

    def __init__(self, spec: BrightBoxSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.threshold, self.representation = spec.threshold, context.representation

    def detect(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """All poses ``[N, P, D]`` in a picture ``uint8 [H, W, 3]``, the largest first, in pixels; here N is 1."""
        rows, columns = np.nonzero(image.mean(axis=2) >= self.threshold)
        if len(rows) < 2 or max(np.ptp(rows), np.ptp(columns)) < 4:
            raise DetectorError(self.spec.type_name(), "something bright in the picture", "nothing")
        middle_x, middle_y = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
        side = 2 * max(np.ptp(rows), np.ptp(columns))
        frame = UnitSquare(float(middle_x), float(middle_y), float(side))
        return self.representation.denormalize(self.representation.neutral(), frame).unsqueeze(0)
