"""Build the training corpus of the bundled model: real clips whose license lets weights be shipped, and synthetic ones.

    python tools/bundled_corpus.py SHARED_DATA runs/bundled-corpus
    headmotion prepare SHARED_DATA/grid_more -o runs/grid-more --license "CC BY 4.0" --distribute --val 0
    python tools/bundled_corpus.py SHARED_DATA runs/bundled-corpus --prepared runs/grid-more

SHARED_DATA holds the folders ``grid_s1`` (GRID corpus, speaker s1, CC BY 4.0) and ``clips`` (many speakers, of which
only the rows with ``distribute`` = 1 are taken); ``--prepared`` adds a corpus of further GRID speakers. They hold
their heads still. Their clips are used as they are, and again with heads that move like those of other speakers, of
whom only statistics are used.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from headmotion.controls import scale_lips
from headmotion.core.motion import Motion
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.espeak.spoken_clips import spoken_clip
from headmotion.data.synthetic.head_path import head_path, move_head
from headmotion.data.synthetic.talking_faces import synthetic_clip

LIVELINESS, LIVELINESS_SPREAD = 1.2, 0.4
"""Median of the liveliness of moved heads, and standard deviation of its logarithm. The median is above 1 because the
original heads hold still."""
MOVED_WEIGHT = 0.5
"""Probability of drawing a moved copy, relative to that of the original clip."""


SILENT_WEIGHT = 0.35
"""The same of silent copies."""
SILENCE_DB = (-100, -45)
"""Range of the level of their noise."""


def gather(shared: Path, prepared: Path | None, moved: int, spoken: int, synthetic: int, silent: int) -> Iterator[Clip]:
    """Yield all clips."""
    for clip in open_corpus(shared / "grid_s1", license="CC BY 4.0", distribute=True):
        yield from with_moved_heads(replace(clip, source="GRID corpus, speaker s1"), moved)
    for clip in open_corpus(shared / "clips").select(distributable=True):
        yield from with_moved_heads(replace(clip, source="GRID corpus, single sentences"), moved)
    for clip in open_corpus(prepared) if prepared else ():
        named = replace(clip, id=f"{clip.speaker}-{clip.id}", source="GRID corpus, further speakers", labels=None)
        yield from with_moved_heads(replace(named, label_names=(), checks={}), moved)
    yield from map(spoken_clip, range(spoken))
    yield from map(synthetic_clip, range(synthetic))
    recorded = open_corpus(shared / "grid_s1", license="CC BY 4.0", distribute=True).select(split="train")
    yield from map(silent_copy, islice(recorded, silent))


def silent_copy(clip: Clip) -> Clip:
    """Return the clip with lips and jaw as in its first frame, and with noise of a quiet room, or hardly any.

    The speaker stays the same, so that where speakers are balanced, silence does not displace the other voices.
    """
    rng = np.random.default_rng([zlib.crc32(clip.id.encode()), 1000])
    motion = Motion(torch.from_numpy(clip.landmarks), clip.fps, {"type": "landmarks68", "dims": 3})
    noise = 10 ** (rng.uniform(*SILENCE_DB) / 20) * rng.standard_normal(len(clip.audio))
    return replace(
        clip,
        id=f"{clip.id}-silent",
        landmarks=scale_lips(motion, 0.0).values.numpy(),
        audio=noise.astype(np.float32),
        weight=SILENT_WEIGHT,
        source="GRID corpus, speaker s1, silent",
        frames=None,
        picture_box=None,
    )


def with_moved_heads(clip: Clip, copies: int) -> Iterator[Clip]:
    """Yield the clip and copies of it with other head motion; clips of the validation split get no copies."""
    clip = replace(clip, frames=None, picture_box=None)  # some folders have pictures, and shards need them of all clips
    yield clip
    for k in range(copies if clip.split == "train" else 0):
        rng = np.random.default_rng([zlib.crc32(clip.id.encode()), k])
        liveliness = float(LIVELINESS * np.exp(LIVELINESS_SPREAD * rng.standard_normal()))
        path = head_path(rng, clip.audio, len(clip.landmarks), liveliness)
        landmarks = move_head(clip.landmarks, path)
        name, source = f"{clip.id}-moved{k}", f"{clip.source}, moved head"
        yield replace(clip, id=name, landmarks=landmarks, weight=MOVED_WEIGHT, source=source)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--prepared", type=Path, help="a corpus of further GRID speakers, made by headmotion prepare")
    parser.add_argument("--moved", type=int, default=3, help="copies of each real clip with a moving head")
    parser.add_argument("--spoken", type=int, default=400, help="clips of synthetic speech, one speaker per clip")
    parser.add_argument("--synthetic", type=int, default=100, help="clips of synthetic sound, one speaker per clip")
    parser.add_argument("--silent", type=int, default=0, help="clips of a speaker with lips at rest, in silence")
    arguments = vars(parser.parse_args())
    write_shards(arguments.pop("output"), gather(**arguments), representation={"type": "landmarks68", "dims": 3})
