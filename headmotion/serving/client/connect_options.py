"""What a client asks of a session."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from numpy.typing import NDArray

Reference = str | os.PathLike[str] | bytes | NDArray[Any] | None
"""Path or content of a picture, an ``.npz`` with ``landmarks``, points ``[P, D]`` in pixels; None: the neutral pose."""


class ConnectOptions(TypedDict, total=False):
    """Keyword arguments of `connect` and `connect_async`; the server decides what is not given or None."""

    model: str | None
    """Name of a model of the server; its first by default."""
    sample_rate: int
    """Rate of the samples (Hz); 16 000 by default."""
    channels: int
    """Channels of the samples; 1 by default."""
    reference: Reference
    """The pose that the motion starts from."""
    controls: Mapping[str, Any] | None
    """Edits by name, such as ``{"blink": 12}``; see `headmotion.controls.from_options`."""
    seed: int
    """Seed of the generator's noise; 0 by default."""
    fps: str | int | None
    """Frames per second, such as 30 or ``30000/1001``; the model's own by default."""
    style: str | None
    """A style of the model, if it has styles."""
    representation: str | None
    """Type that the motion is converted to, such as ``blendshapes``."""
    mouth: Literal["auto", "closed", "as-is"]
    """As in `Pipeline.reference`."""
    samples: Literal["float32", "int16"]
    """Type in which samples travel; ``int16`` is half as large as ``float32``, the default."""
    format: Literal["binary", "json"]
    """Form in which motion travels; ``binary`` by default."""
    token: str | None
    """Token of the server."""
