"""Renderer: motion becomes pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ..component import Component
from ..motion import Motion

Picture = npt.NDArray[np.uint8]
"""RGB picture ``uint8 [H, W, 3]``; or ``[H, W, 4]`` with opacity, 0..255, by which its colors are not multiplied."""


class Renderer(Component):
    """Frames from motion, and from a still picture where the renderer needs one, in constant memory."""

    needs_image: bool
    """Whether `frames` must be given a picture."""
    keeps_alpha: bool = False
    """Whether a picture with opacity makes frames with opacity; if not, `frames` is only given ``[H, W, 3]``."""
    max_useful_edge: int | None = None
    """Length of a picture's longer edge (px) beyond which its frames are no better; None: every pixel may count."""

    @abstractmethod
    def frames(
        self, motion: Iterable[Motion], image: Picture | None = None, landmarks: npt.ArrayLike | None = None
    ) -> Iterator[Picture]:
        """One picture per frame of the motion, all of one size.

        Args:
            motion: consecutive pieces of one motion, in pixels of the picture.
            image: the still picture ``uint8 [H, W, 3]``; ``[H, W, 4]`` only if the renderer `keeps_alpha`.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.

        Raises:
            ImageError: a picture or a pose in it is needed and missing.
        """
