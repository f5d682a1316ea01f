"""Syncer: how well audio and motion are in synchrony."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from ..component import Component


class Syncer(Component):
    """Embeddings of audio windows and of motion windows in one space; their score is the cosine."""

    window: int
    """Motion frames per window, ``w``."""

    @abstractmethod
    def embed_audio(self, audio: Tensor) -> Tensor:
        """Embed audio windows ``[B, steps_per_frame * w, C]`` as ``[B, E]``."""

    @abstractmethod
    def embed_motion(self, motion: Tensor) -> Tensor:
        """Embed motion windows ``[B, w, P, D]`` of the unit frame as ``[B, E]``."""
