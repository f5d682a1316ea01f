"""Make the corpus of the recipe ``atvg/grid`` from GRID videos: pictures of 128 x 128 pixels, one fixed crop per video.

    python plugins/headmotion-atvg/benchmarks/grid_corpus.py ../shared/data runs/grid

Speaker 1 has videos that are cropped already (folder of pairs ``grid_s1``). Those of ``grid_more`` are prepared in a
larger square, of which the same part is kept: 1.49 times the longer edge of the box around the face, 0.15 edges higher.
Splits: ``train`` and ``val`` (other sentences) of speakers 1 and 4, ``test`` of speakers who are not trained on.
`DAMAGED` clips are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.import_folder import import_folder
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.preparation import prepare

EDGE = 128
"""Edge of the pictures (px)."""
PREPARED = 172
"""Edge in which the square of `prepare`, twice the face's box, has 86 pixels per edge of the box: 128 / 86 = 1.49."""
LEFT, TOP = 22, 9
"""Corner of the part that is kept: centered, and 13 pixels (0.15 edges of the box) higher."""
LICENSE = "CC BY 4.0"
TRAINED = "s4"
"""Speaker of `grid_more` who is trained on."""
DAMAGED = {"sran9s": "its video lacks the key frame: the first three pictures are gray, and a method gets the first"}
"""Clips that are left out, with the reason."""
VAL_EVERY = 8
"""Every so many-th sentence of that speaker is in ``val``."""


def cut_clips(prepared: Path) -> Iterator[Clip]:
    """Yield the clips of a corpus of larger pictures, cut to the size that is trained on."""
    corpus, sentences = open_corpus(prepared), 0
    for clip in corpus:
        assert clip.frames is not None
        pictures = clip.frames.read()[:, :, TOP : TOP + EDGE, LEFT : LEFT + EDGE]
        frames = encode_pictures(np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)), quality=95)
        landmarks = clip.landmarks.copy()
        landmarks[..., :2] -= (LEFT, TOP)
        split = "test"
        if clip.speaker == TRAINED:
            split = "train" if sentences % VAL_EVERY else "val"
            sentences += 1
        yield replace(clip, landmarks=landmarks, frames=frames, split=split, image_size=(EDGE, EDGE), picture_box=None)


def make_corpus(data: Path, output: Path, workers: int = 1) -> Path:
    """Write the corpus; what was finished before is not done again.

    Args:
        data: folder with ``grid_s1`` and ``grid_more``.
        output: folder of the corpus ``all`` and its parts.
        workers: processes that search for faces.
    """
    parts, face = [output / "s1", output / "more"], {"type": "landmarks68", "dims": 3}
    if not (parts[0] / "corpus.json").exists():
        import_folder(data / "grid_s1", parts[0], True, license=LICENSE, distribute=True, frames=EDGE, frame_quality=95)
    if not (output / "prepared" / "corpus.json").exists():
        prepare(
            data / "grid_more",
            output / "prepared",
            speaker="folder",
            val=0,
            license=LICENSE,
            distribute=True,
            frames=PREPARED,
            frame_quality=95,
            workers=workers,
        )
    if not (parts[1] / "corpus.json").exists():
        write_shards(parts[1], cut_clips(output / "prepared"), representation=face)
    if not (output / "all" / "corpus.json").exists():
        whole = (clip for part in parts for clip in open_corpus(part) if clip.id not in DAMAGED)
        write_shards(output / "all", whole, representation=face, frame_quality=95)
    return output / "all"


def main() -> None:
    """Make the corpus that the command line names."""
    parser = argparse.ArgumentParser(description="Make the corpus of the recipe atvg/grid.")
    parser.add_argument("data", type=Path, help="folder with grid_s1 and grid_more")
    parser.add_argument("output", type=Path, help="folder of the corpus")
    parser.add_argument("--workers", type=int, default=1, help="processes that search for faces")
    arguments = parser.parse_args()
    corpus = open_corpus(make_corpus(arguments.data, arguments.output, arguments.workers))
    for split in sorted(corpus.splits):
        part = corpus.select(split=split)
        print(f"{split}: {len(part)} clips of {', '.join(sorted(part.speakers))}")
    for clip, reason in DAMAGED.items():
        print(f"left out: {clip}, because {reason}")


if __name__ == "__main__":
    main()
