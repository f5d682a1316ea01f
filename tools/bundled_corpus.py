"""Gather what the bundled model is trained on: real clips whose licence lets weights be shipped, and synthetic ones.

    python tools/bundled_corpus.py SHARED_DATA runs/bundled-corpus

SHARED_DATA holds the folders ``grid_s1`` (GRID corpus, speaker s1, CC BY 4.0) and ``clips`` (many speakers, of which
only the rows with ``distribute`` = 1 are taken).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus, write_corpus
from headmotion.data.synthetic import synthetic_clip


def gather(shared: Path, synthetic: int, seconds: float) -> Iterator[Clip]:
    """All clips, one after another."""
    for clip in open_corpus(shared / "grid_s1", license="CC BY 4.0", distribute=True):
        yield replace(clip, source="GRID corpus, speaker s1")
    for clip in open_corpus(shared / "clips").select(distributable=True):
        yield replace(clip, source="GRID corpus, single sentences")
    for seed in range(synthetic):
        yield synthetic_clip(seed, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--synthetic", type=int, default=400, help="synthetic clips, each a speaker of its own")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of each synthetic clip")
    arguments = parser.parse_args()
    write_corpus(arguments.output, gather(arguments.shared, arguments.synthetic, arguments.seconds))
