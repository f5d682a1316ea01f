"""The tracks of a clip, by name. Reading them does not import torch."""

from __future__ import annotations

from typing import Literal, get_args

Track = Literal["motion", "audio", "wave", "frames", "labels"]
"""A track of a clip, by its name in the corpus: ``wave`` is the sound itself, ``audio`` its features."""
TRACKS: tuple[Track, ...] = get_args(Track)
"""All tracks. Every clip has ``motion``, and a wave from which ``audio`` follows."""
