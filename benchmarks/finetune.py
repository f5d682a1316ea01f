"""What fine-tuning on one speaker gives and costs: mouths before and after, on held-out clips and on another speaker.

    python benchmarks/finetune.py SHARED_DATA

`causal-flow` is fine-tuned on speakers whom it has not met, by 200 steps at a fifth of its learning rate, all else as
in its recipe. The clips of a speaker are cut into pieces of at most nine seconds, which are numbered in order. One
training has the even pieces and one the odd ones, and each is measured on those that it does not have. ``unseen
sentences`` are every second sentence of GRID speaker 1 that no training has: what it costs elsewhere. Both models speak
each, and their mean counts. Opening, correlation and amplitude are those of [Models](models.md); the amplitude is 1
where the mouth opens as far as the recorded one. All values are means with their 95 % interval (bootstrap over clips),
the difference that of pairs.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import torch
from models import with_interval  # pyright: ignore[reportMissingImports]

import headmotion as hm
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import Corpus, open_corpus, write_corpus
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.training import train

PAGE = Path(__file__).parent.parent / "docs" / "fine-tuning.md"
MODEL = "causal-flow"
SPEAKERS = {"vidtimit_fadg0": "sentences of VidTIMIT's speaker fadg0", "file_obama": "a public speech"}
PIECE_SECONDS, FPS = 9, 25
ELSEWHERE = "unseen sentences of GRID speaker 1, after training on"
CHANGES = ("phases.generator.steps=200", "phases.generator.optimizer.lr=0.0002", "preview_every=0")


def pieces(corpus: Corpus, speaker: str) -> list[Clip]:
    """Return the clips of a speaker, cut into equal pieces."""
    return [piece for clip in corpus if clip.speaker == speaker for piece in cut(clip)]


def cut(clip: Clip) -> Iterator[Clip]:
    """Yield equal pieces of a clip."""
    count = math.ceil(len(clip.landmarks) / (PIECE_SECONDS * FPS))
    bounds = np.linspace(0, len(clip.landmarks), count + 1).round().astype(int)
    rate = SAMPLE_RATE // FPS
    for number, (first, last) in enumerate(pairwise(bounds)):
        motion, sound = clip.landmarks[first:last], clip.audio[first * rate : last * rate]
        piece = replace(clip, id=f"{clip.id}-{number}", landmarks=motion, audio=sound, split="train")
        yield replace(piece, frames=None, picture_box=None)


def fine_tuned(clips: Sequence[Clip], folder: Path) -> hm.Pipeline:
    """Return the model after training on some clips."""
    corpus = write_corpus(folder / "corpus", clips)
    changes = [*CHANGES, f"data.feature_cache={folder / 'features'}"]
    return hm.load(train(MODEL, [corpus], folder / "run", "cpu", changes, quiet=True, start=MODEL), device="cpu")


def measured(pipe: hm.Pipeline, clip: Clip) -> tuple[float, float]:
    """Return correlation and amplitude of the mouth's opening."""
    recorded = opening_curve(pipe.representation, torch.from_numpy(clip.landmarks))
    motion = pipe.generate((clip.audio, SAMPLE_RATE), clip.landmarks[:1])
    generated = opening_curve(pipe.representation, motion.values)[: len(recorded)]
    recorded = recorded[: len(generated)]
    amplitude = mouth.banded(generated).std() / mouth.banded(recorded).std()
    return mouth.band_correlation(generated, recorded), float(amplitude)


def compared(shared: Path, folder: Path) -> Iterator[tuple[str, list[list[tuple[float, float]]]]]:
    """Yield a title and, per clip, what was measured before and after."""
    base = hm.load(MODEL, device="cpu")
    sentences = list(open_corpus(shared / "grid_s1").select(split="val"))[::2]
    unchanged = [measured(base, clip) for clip in sentences]
    for speaker, title in SPEAKERS.items():
        clips = pieces(open_corpus(shared / "clips"), speaker)
        held_out, elsewhere = [], []
        for fold in (0, 1):
            model = fine_tuned(clips[fold::2], folder / f"{speaker}-{fold}")
            held_out += [[measured(base, clip), measured(model, clip)] for clip in clips[1 - fold :: 2]]
            elsewhere += [[b, measured(model, clip)] for b, clip in zip(unchanged, sentences, strict=True)]
        yield f"{title}, held-out pieces", held_out
        yield f"{ELSEWHERE} {title}", elsewhere


def row(title: str, values: np.ndarray) -> str:
    """Return a row of the table from values ``[clips, 2, 2]``."""
    if title.startswith(ELSEWHERE):
        values = values.reshape(2, -1, 2, 2).mean(0)  # two models speak the same sentences
    before, after = values[:, 0], values[:, 1]
    columns = before[:, 0], after[:, 0], after[:, 0] - before[:, 0], before[:, 1], after[:, 1]
    cells = (with_interval(mouth.interval(column.tolist()), "mean") for column in columns)
    return f"| {title} | {len(values)} | {' | '.join(cells)} |"


def write_page(results: dict[str, list[list[tuple[float, float]]]]) -> None:
    """Write the page."""
    lines = ["# Fine-tuning measured", "", "Made by `python benchmarks/finetune.py SHARED_DATA`.", ""]
    lines += ["| clips | n | correlation before | after | difference | amplitude before | after |", "|---" * 7 + "|"]
    lines += [row(title, np.array(values)) for title, values in results.items()]
    about = (__doc__ or "").split("\n\n", 2)[2].strip()
    PAGE.write_text("\n".join([*lines, "", "## How it is measured", "", about]) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("runs/finetune"), help="of the trainings and results.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = arguments.folder / "results.json"
    if not results.exists():
        values = dict(compared(arguments.shared, arguments.folder))
        results.write_text(json.dumps(values), "utf-8")
    write_page(json.loads(results.read_text("utf-8")))
