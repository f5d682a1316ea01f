"""A small corpus of drawn faces with pictures and action units."""

from __future__ import annotations

from pathlib import Path

from headmotion_au.label_corpus import label_corpus

import headmotion as hm
from headmotion.testing import write_drawn_faces

FACE = hm.resolve_spec("representation", "landmarks68").build()


def write_units(folder: Path) -> Path:
    """Write clips with action units of the landmarks' geometry as their motion."""
    return label_corpus(write_drawn_faces(folder / "faces", clips=3), folder / "units", quiet=True)
