"""Build the training corpus of the bundled model `blendshapes`: ARKit's weights, detected in videos of GRID.

    python tools/blendshape_corpus.py SHARED_DATA runs/blendshape-corpus

SHARED_DATA holds the folders ``grid_s1`` (speaker s1: 300 sentences as videos of 128 x 128 with their sound next to
them) and ``grid_more`` (six further speakers); both are of the GRID corpus (Cooke, Barker, Cunningham, Shao 2006), CC
BY 4.0. Every `HELD_OUT`-th sentence of speaker s4 goes to the split ``val``, as those do that the index of ``grid_s1``
names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.preparation import prepare

HELD_OUT = 6
SOURCES = {"grid_s1": "GRID corpus, speaker s1", "grid_more": "GRID corpus, six further speakers"}


def prepared(shared: Path, output: Path, name: str) -> Path:
    """Return the corpus of a folder of videos, which is made if it is not there."""
    corpus = output / name
    if not (corpus / "corpus.json").exists():
        prepare(
            shared / name,
            corpus,
            {"type": "face-mesh", "max_faces": 1},
            "blendshapes",
            val=0.0,
            license="CC BY 4.0",
            distribute=True,
        )
    return corpus


def gather(shared: Path, output: Path) -> Iterator[Clip]:
    """Yield all clips with their splits."""
    for name, source in SOURCES.items():
        held_out = 0
        for clip in open_corpus(prepared(shared, output, name)):
            split = clip.split
            if clip.speaker == "s4":
                held_out += 1
                split = "train" if held_out % HELD_OUT else "val"
            yield replace(clip, split=split, source=source)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    clips = gather(arguments.shared, arguments.output)
    write_shards(arguments.output / "all", clips, representation="blendshapes")
