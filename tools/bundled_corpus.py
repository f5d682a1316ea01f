"""Gather what the bundled model is trained on: real clips whose licence lets weights be shipped, and synthetic ones.

    python tools/bundled_corpus.py SHARED_DATA runs/bundled-corpus

SHARED_DATA holds the folders ``grid_s1`` (GRID corpus, speaker s1, CC BY 4.0) and ``clips`` (many speakers, of which
only the rows with ``distribute`` = 1 are taken). GRID's speakers hold their heads still. Their clips are taken as they
are and again with heads that move as those of other speakers do, of whom only statistics are used.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus, write_corpus
from headmotion.data.synthetic.espeak.spoken_clips import spoken_clip
from headmotion.data.synthetic.head_path import head_path, move_head
from headmotion.data.synthetic.talking_faces import synthetic_clip

LIVELINESS, LIVELINESS_SPREAD = 1.2, 0.4
"""Median of how lively a moved head is, and standard deviation of its logarithm: above 1, because others hold still."""
MOVED_WEIGHT = 0.5
"""Chance to draw a moved copy, over that of the clip itself."""


def gather(shared: Path, moved: int, spoken: int, synthetic: int) -> Iterator[Clip]:
    """All clips, one after another."""
    for clip in open_corpus(shared / "grid_s1", license="CC BY 4.0", distribute=True):
        yield from with_moved_heads(replace(clip, source="GRID corpus, speaker s1"), moved)
    for clip in open_corpus(shared / "clips").select(distributable=True):
        yield from with_moved_heads(replace(clip, source="GRID corpus, single sentences"), moved)
    yield from map(spoken_clip, range(spoken))
    yield from map(synthetic_clip, range(synthetic))


def with_moved_heads(clip: Clip, copies: int) -> Iterator[Clip]:
    """The clip, and copies of it with other head motion; those for validation stay as they are."""
    yield clip
    for k in range(copies if clip.split == "train" else 0):
        chance = np.random.default_rng([zlib.crc32(clip.id.encode()), k])
        liveliness = float(LIVELINESS * np.exp(LIVELINESS_SPREAD * chance.standard_normal()))
        path = head_path(chance, clip.audio, len(clip.landmarks), liveliness)
        landmarks = move_head(clip.landmarks, path)
        name, source = f"{clip.id}-moved{k}", f"{clip.source}, moved head"
        yield replace(clip, id=name, landmarks=landmarks, weight=MOVED_WEIGHT, source=source)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--moved", type=int, default=3, help="copies of each real clip with a moving head")
    parser.add_argument("--spoken", type=int, default=400, help="clips of synthetic speech, each a speaker of its own")
    parser.add_argument("--synthetic", type=int, default=100, help="clips of synthetic sound, likewise")
    arguments = parser.parse_args()
    write_corpus(arguments.output, gather(arguments.shared, arguments.moved, arguments.spoken, arguments.synthetic))
