"""BrightBox: a detector that fits the resting pose into the box around all bright pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headmotion import BuildContext, Detection, Detector, UnitSquare

if TYPE_CHECKING:
    from .specs import BrightBoxSpec


class BrightBox(Detector):
    """The resting pose in the box around all bright pixels. A real detector would run a network instead."""

    def __init__(self, spec: BrightBoxSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.threshold, self.representation = spec.threshold, context.representation

    def detect(self, images: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the detections in each of some pictures ``uint8 [H, W, 3]``, in pixels; here one or none."""
        # A network would take them as one batch; a result must not depend on which other pictures are given.
        return [self._find(image) for image in images]

    def _find(self, image: npt.NDArray[np.uint8]) -> list[Detection]:
        rows, columns = np.nonzero(image.mean(axis=2) >= self.threshold)
        if len(rows) < 2 or max(np.ptp(rows), np.ptp(columns)) < 4:
            return []
        center_x, center_y = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
        side = 2 * max(np.ptp(rows), np.ptp(columns))
        frame = UnitSquare(float(center_x), float(center_y), float(side))
        pose = self.representation.denormalize(self.representation.neutral(), frame)
        box = float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())
        return [Detection(pose, box)]
