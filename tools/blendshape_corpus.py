"""Build the training corpus of the bundled model `blendshapes`: ARKit's weights, detected in videos of GRID.

    python tools/blendshape_corpus.py SHARED_DATA runs/blendshape-corpus

SHARED_DATA holds the folders ``grid_s1`` (speaker s1: 300 sentences as videos of 128 x 128 with their sound next to
them) and ``grid_more`` (six further speakers); both are of the GRID corpus (Cooke, Barker, Cunningham, Shao 2006), CC
BY 4.0. Every `HELD_OUT`-th sentence of speaker s4 goes to the split ``val``, as those do that the index of ``grid_s1``
names. With ``--mandarin``, ``blendshapes_mandarin`` (one speaker, MIT) joins them, as far as ARKit has its shapes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
import torch

from headmotion.core.timing import resample_frames
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.preparation import prepare
from headmotion.representations.blendshapes import NAMES

HELD_OUT = 6
SOURCES = {"grid_s1": "GRID corpus, speaker s1", "grid_more": "GRID corpus, six further speakers"}


RIG = {
    "jawOpen": ("mouth_stretch_c",),
    "mouthFunnel": ("mouth_funnel_dl", "mouth_funnel_dr", "mouth_funnel_ul", "mouth_funnel_ur"),
    "mouthPucker": ("mouth_pucker_l", "mouth_pucker_r"),
    "mouthShrugUpper": ("mouth_chinRaise_u",),
    "mouthShrugLower": ("mouth_chinRaise_d",),
    "mouthRollUpper": ("mouth_suck_ul", "mouth_suck_ur"),
    "mouthRollLower": ("mouth_suck_dl", "mouth_suck_dr"),
    "mouthPress": ("mouth_press",),
    "mouthSmile": ("mouth_lipCornerPull",),
    "mouthStretch": ("mouth_lipStretch",),
    "mouthLowerDown": ("mouth_lowerLipDepress",),
    "mouthUpperUp": ("mouth_upperLipRaise",),
}
"""What of the Mandarin rig is averaged for each of ARKit's shapes; of those with sides, without the side. Its shapes
``mouth_oh_c`` and ``mouth_oo_c`` are whole visemes, which ARKit has not."""
PIECE_S = 10


def mandarin(folder: Path) -> Iterator[Clip]:
    """Yield the recordings in pieces; the last one is held out.

    The names in the files are off by one: with the name before, the weights of left and right shapes are the same in
    all pairs, as they are in the rig, and ``mouth_stretch_c`` is the one that follows loudness.
    """
    paths = sorted(folder.glob("*.npz"))
    for path in paths:
        stored = np.load(path)
        names = np.roll(stored["names"], 1).tolist()
        weights = stored["weights"].astype(np.float32)
        values = np.zeros((len(weights), len(NAMES)), np.float32)
        for k, name in enumerate(NAMES):
            side = next((side for side in ("Left", "Right") if name.endswith(side)), "")
            rig = RIG.get(name.removesuffix(side), ())
            columns = [names.index(f"{shape}_{side[0].lower()}" if side else shape) for shape in rig]
            if columns:
                values[:, k] = weights[:, columns].mean(axis=1)
        audio, rate = soundfile.read(path.with_suffix(".flac"), dtype="float32")
        assert rate == SAMPLE_RATE
        frames = torch.from_numpy(values)[..., None]
        frames = resample_frames(frames, Fraction(30), Fraction(25), len(values) * 25 // 30).numpy()
        for start in range(0, len(frames) - 25 * PIECE_S + 1, 25 * PIECE_S):
            piece = slice(start, start + 25 * PIECE_S)
            yield Clip(
                id=f"{path.stem}-{start // 25:03d}",
                speaker="mandarin",
                split="val" if path == paths[-1] else "train",
                landmarks=frames[piece],
                audio=audio[640 * piece.start : 640 * piece.stop],
                license="MIT",
                source="FACEGOOD-Audio2Face, one speaker of Mandarin",
                distribute=True,
            )


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
    parser.add_argument("--mandarin", action="store_true", help="add the Mandarin speaker; written to 'with-mandarin'")
    arguments = parser.parse_args()
    clips, name = gather(arguments.shared, arguments.output), "all"
    if arguments.mandarin:
        clips, name = chain(clips, mandarin(arguments.shared / "blendshapes_mandarin")), "with-mandarin"
    write_shards(arguments.output / name, clips, representation="blendshapes")
