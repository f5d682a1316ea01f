"""Renderer: motion becomes pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..component import Component
from ..motion import Motion
from .sample import Track

Picture = npt.NDArray[np.uint8]
"""RGB picture ``uint8 [H, W, 3]``, or ``[H, W, 4]`` with straight (not premultiplied) alpha, 0..255."""


class Renderer(Component):
    """Pictures of a motion, and of a still picture if the renderer needs one, in constant memory.

    A renderer whose weights are trained on the pictures of a corpus also has the methods of `SupportsTraining`.
    """

    needs_image: bool
    """Whether `frames` must be given a picture."""
    needs: frozenset[Track] = frozenset({"motion"})
    """Tracks that pictures are drawn from. With ``audio``, `frames` and `SupportsTraining.pictures` get features of the
    speech; without it they get none."""
    audio_context: tuple[int, int] = (0, 0)
    """Frames before and after a frame whose features its picture depends on; see `SupportsTraining.pictures`."""
    keeps_alpha: bool = False
    """Whether a picture with alpha gives frames with alpha; otherwise `frames` gets ``[H, W, 3]`` only."""
    max_useful_edge: int | None = None
    """Length of a picture's longer edge (px) beyond which frames get no better; None if there is no such limit."""

    @abstractmethod
    def frames(
        self,
        motion: Iterable[Motion],
        image: Picture | None = None,
        landmarks: npt.ArrayLike | None = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Picture]:
        """Yield one picture per frame of the motion, all of one size.

        Args:
            motion: consecutive parts of one motion, in pixels of the picture.
            image: the still picture ``uint8 [H, W, 3]``; ``[H, W, 4]`` only if the renderer `keeps_alpha`.
            landmarks: pose ``[P, D]`` in the picture, pixels; None takes the reference that the motion carries.
            audio: only if the renderer `needs` ``audio``: for each part of the motion, with ``t`` frames, the features
                ``[1, steps_per_frame * t, C]`` of the same time. Take a block after its part, as ``zip`` does.

        Raises:
            ImageError: the renderer needs a picture, or a pose in it, and there is none.
            HeadmotionError: the renderer needs audio, and there is none.
        """


@runtime_checkable
class SupportsTraining(Protocol):
    """A renderer with weights that are trained on the pictures of a corpus.

    Poses are in picture coordinates: 0..1 over the picture, that is, pixels that `Representation.normalize` maps with
    ``UnitSquare(W / 2, H / 2, max(W, H))``. `Renderer.frames` draws the same pictures with the weights as they are.
    """

    training_picture_size: tuple[int, int]
    """Height and width in pixels, ``(H, W)``, of the pictures that it is trained on and draws."""

    def pictures(
        self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None
    ) -> Tensor | Mapping[str, Tensor]:
        """Return pictures ``[B, T, 3, H, W]``, 0..1, with gradients for the weights.

        A mapping has the pictures as ``frames``, and further tensors by name, such as an attention map. Losses and
        discriminators find these in `Sample.outputs` of the generated sample.

        Args:
            identity: pictures ``[B, 3, H, W]``, 0..1, of the people to draw.
            pose: their poses in these pictures, ``[B, P, D]``.
            motion: poses to draw, ``[B, T, P, D]``.
            audio: features ``[B, steps_per_frame * (before + T + after), C]``, if the renderer `needs` ``audio``: of
                the frames to draw, and of as many before and after them as its ``audio_context`` says. At the ends of
                the speech, the first and the last step are repeated.
        """
        ...
