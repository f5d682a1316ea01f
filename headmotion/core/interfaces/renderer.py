"""Renderer: motion becomes pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ..component import Component
from ..motion import Motion

Picture = npt.NDArray[np.uint8]
"""RGB picture ``uint8 [H, W, 3]``, or ``[H, W, 4]`` with straight (not premultiplied) alpha, 0..255."""


class Renderer(Component):
    """Pictures of a motion, and of a still picture if the renderer needs one, in constant memory."""

    needs_image: bool
    """Whether `frames` must be given a picture."""
    keeps_alpha: bool = False
    """Whether a picture with alpha gives frames with alpha; otherwise `frames` gets ``[H, W, 3]`` only."""
    max_useful_edge: int | None = None
    """Length of a picture's longer edge (px) beyond which frames get no better; None if there is no such limit."""

    @abstractmethod
    def frames(
        self, motion: Iterable[Motion], image: Picture | None = None, landmarks: npt.ArrayLike | None = None
    ) -> Iterator[Picture]:
        """Yield one picture per frame of the motion, all of one size.

        Args:
            motion: consecutive parts of one motion, in pixels of the picture.
            image: the still picture ``uint8 [H, W, 3]``; ``[H, W, 4]`` only if the renderer `keeps_alpha`.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.

        Raises:
            ImageError: the renderer needs a picture, or a pose in it, and there is none.
        """
