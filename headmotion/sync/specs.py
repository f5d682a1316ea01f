"""Specs of what is synchronized. Reading them does not import torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from ..core.spec import Spec

Space = Literal["unit", "free"]
"""How embeddings are compared: ``unit``, at unit length, for syncers trained by cosines; ``free``, unchanged, for those
trained by distances."""


class PyramidSpec(Spec):
    """Levels of a temporal pyramid. Source: MS-Sync, arXiv 2307.03270, eq. 5."""

    levels: int = Field(4, ge=1, le=16)
    """Number of levels, the first being the input itself."""
    kernel: int = Field(7, ge=1, le=255)
    """Taps of the moving average, in frames of the level that is averaged; odd."""
    stride: int = Field(2, ge=1, le=16)
    """Frames of a level per frame of the next coarser level."""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number of taps")
        return value
