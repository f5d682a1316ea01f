"""Syncer: synchrony of audio and motion."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from ..component import Component


class Syncer(Component):
    """Embeds windows of audio and of motion into one space; their score is the cosine."""

    window: int
    """Motion frames per window, ``w``."""

    @abstractmethod
    def embed_audio(self, audio: Tensor) -> Tensor:
        """Audio windows ``[B, 4*w, C]`` to embeddings ``[B, E]``."""

    @abstractmethod
    def embed_motion(self, motion: Tensor) -> Tensor:
        """Motion windows ``[B, w, P, D]`` of the unit frame to embeddings ``[B, E]``."""
