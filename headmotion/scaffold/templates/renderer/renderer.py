"""Dots: a renderer that draws white dots on black."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from torch import Tensor

from headmotion import BuildContext, Motion, Renderer

if TYPE_CHECKING:
    from .specs import DotsSpec


class Dots(Renderer):
    """White dots on black; the motion's unit frame fills the picture. Memory does not grow with the motion."""

    needs_image = False

    def __init__(self, spec: DotsSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.size, self.radius, self.representation = spec.size, spec.radius, context.representation

    def frames(
        self,
        motion: Iterable[Motion],
        image: npt.NDArray[np.uint8] | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield one picture ``uint8 [size, size, 3]`` per frame; picture, landmarks and audio are not used."""
        frame = None
        for part in motion:
            if not len(part):
                continue
            frame = frame or part.frame or self.representation.frame_of(part.values[:1])
            points = self.representation.to_points2d(self.representation.normalize(part.values, frame))
            for pose in (points * self.size).round().int().clamp(-self.size, 2 * self.size).tolist():
                picture = np.zeros((self.size, self.size, 3), np.uint8)
                for x, y in pose:
                    cv2.circle(picture, (x, y), self.radius, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
                yield picture
