"""Do the bundled metric syncers hear and see what they should? Writes docs/metric-syncers.md.

    python benchmarks/av_sync.py SHARED_DATA [RUN/syncers.safetensors]

Three questions, at each level, on clips that were not trained on: Is real speech found to be in time? Is it told from
the speech of another clip? Are shifts of the speech by a known number of frames found?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from headmotion.core.checkpoint import read_header
from headmotion.core.interfaces.metric import MetricInput, Observation
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import open_corpus
from headmotion.media.audio import Audio
from headmotion.metrics.av_sync import AVSync
from headmotion.metrics.specs import AVSyncSpec
from headmotion.metrics.syncer_model import BUNDLED_DIR
from headmotion.representations.specs import Landmarks68Spec
from headmotion.sync.av_offset import best_shift

PAGE = Path(__file__).parent.parent / "docs" / "metric-syncers.md"
SHIFTS = (-8, -4, -2, 0, 2, 4, 8)
"""Frames by which the speech is made late; negative: early."""
EDGE = max(SHIFTS)
"""Frames at either end of a clip that are left out, so that shifted speech is there."""
LONGEST = 80 + 2 * EDGE
"""Frames of a clip that are used, so that 80 are measured at most: the length of MS-Sync's evaluation."""
DRAWS = 2000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A clip's motion with its own speech at every shift, and with the speech of another."""

    shifted: dict[int, Observation]
    other: Observation


def cut(clip: Clip, speech: Clip, late: int) -> MetricInput:
    """The middle of a clip with speech that comes so many frames late, as far as both go."""
    frames = min(len(clip.landmarks), len(speech.landmarks), LONGEST)
    per_frame = round(SAMPLE_RATE / clip.fps)
    heard = speech.audio[(EDGE - late) * per_frame : (frames - EDGE - late) * per_frame]
    motion = Motion(torch.from_numpy(clip.landmarks[EDGE : frames - EDGE, :, :2].copy()), clip.fps)
    return MetricInput(clip.id, motion, audio=Audio(heard, SAMPLE_RATE))


def cases(metric: AVSync, folder: Path) -> list[Case]:
    """All clips of the split ``val``; the other speech is that of the next clip."""
    clips = [clip for clip in open_corpus(folder).select(split="val") if len(clip.landmarks) >= 2 * EDGE + 40]
    own = {late: metric.observe_batch([cut(clip, clip, late) for clip in clips]) for late in SHIFTS}
    others = metric.observe_batch([cut(clip, clips[(k + 1) % len(clips)], 0) for k, clip in enumerate(clips)])
    return [Case({late: found[k] for late, found in own.items()}, others[k]) for k in range(len(clips))]


def read(observed: Sequence[Observation], level: str) -> tuple[Values, Values, Values]:
    """Offset, least distance and confidence of each clip that has the level."""
    found = [best_shift(each[level]) for each in observed if level in each]
    offset, distance, confidence = (np.array([float(value) for value in each]) for each in zip(*found, strict=True))
    return offset, distance, confidence


def mean(values: Values, digits: int = 2) -> str:
    """With its 95 % interval by bootstrap over clips."""
    drawn = np.random.default_rng(0).choice(values, (DRAWS, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{values.mean():.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def told_apart(given: Sequence[Case], levels: Sequence[str]) -> Iterator[str]:
    """Own speech against that of another clip."""
    columns = ("level", "clips", "size of offset, frames", "confidence", "distance", "surer", "nearer")
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    for level in levels:
        own, other = (
            read(each, level) for each in ([case.shifted[0] for case in given], [case.other for case in given])
        )
        pairs = zip((np.abs(own[0]), own[2], own[1]), (np.abs(other[0]), other[2], other[1]), strict=True)
        figures = [f"{mean(one)}; other {mean(two)}" for one, two in pairs]
        figures += [mean((own[2] > other[2]).astype(float)), mean((own[1] < other[1]).astype(float))]
        yield f"| {level.removeprefix('level')} | {len(own[0])} | " + " | ".join(figures) + " |"


def shifts_found(given: Sequence[Case], levels: Sequence[str]) -> Iterator[str]:
    """Share of clips whose offset is right to one frame of the level, by how late the speech is made."""
    yield "| level | " + " | ".join(f"{late:+d} frames" for late in SHIFTS) + " |"
    yield "|---" * (len(SHIFTS) + 1) + "|"
    for number, level in enumerate(levels):
        row = []
        for late in SHIFTS:
            offset, *_ = read([case.shifted[late] for case in given], level)
            wanted = -late / 2**number
            row.append(f"{(np.abs(offset - wanted) <= 1).mean():.2f} (median {np.median(offset):+g} of {wanted:+g})")
        yield f"| {level.removeprefix('level')} | " + " | ".join(row) + " |"


def card(path: Path) -> Iterator[str]:
    """What the file says of itself."""
    header = read_header(path)
    facts = header.card
    parameters = sum(int(np.prod(tensor.shape)) for tensor in header.tensors.values())
    yield from ("| | |", "|---|---|", f"| steps | {header.step} |", f"| numbers | {parameters:,} |")
    yield f"| size | {header.size / 1e6:.2f} MB |"
    yield f"| trained on | {facts['clips']} clips, {facts['hours']} hours, {facts['speakers']} speakers |"
    yield f"| wall time of the training | {facts['training_seconds'] / 60:.0f} minutes on a shared core |"
    yield f"| recipe | `{facts['name']}` at commit `{facts['commit'][:12]}` |"


def page(shared: Path, path: Path) -> str:
    """All of it."""
    representation = Landmarks68Spec().build()
    metric: AVSync = AVSyncSpec(syncers=str(path)).build(BuildContext(representation, 0))
    levels = [f"level{level}" for level in range(len(metric.frame_ms))]
    lines = [INTRODUCTION, *card(path), METHOD]
    for name, folder in (("GRID speaker 1, unseen sentences", "grid_s1"), ("Unseen speakers", "clips")):
        given = cases(metric, shared / folder)
        lines += [f"\n### {name}\n", *told_apart(given, levels), ""]
        lines += ["Offsets that are right to one frame of the level, by how late the speech was made:\n"]
        lines += shifts_found(given, levels)
    return "\n".join([*lines, READING])


INTRODUCTION = """# The bundled metric syncers

`metric-syncers` is what the metrics `av-sync` and `frechet-syncers` judge by unless they are told otherwise. It was
trained by SyncNet's loss over distances, apart from the syncers that guide a generator, on clips whose licenses let
weights be shipped: one speaker of GRID as he is and with heads that move, a few sentences of other GRID speakers, and
synthetic speech. This page is written by `python benchmarks/av_sync.py SHARED_DATA`.

```
python tools/bundled_corpus.py SHARED_DATA runs/corpus
headmotion train metric-syncers --data runs/corpus -o runs/metric
```

The bundled file was stopped before the end of the recipe, some hundred steps after its learning rate had dropped.
"""

METHOD = f"""
## Method

Clips of the split `val`, 80 frames of each at most, less {EDGE} frames at either end so that shifted speech is there.
*Other* is the speech of the next clip. A level's frame is 40, 80, 160 and 320 ms; curves are over valid pairs.
Means with 95 % intervals (bootstrap over clips). Confidence has the unit of the embeddings' distances, whose margin
was 10.

## Figures"""

READING = """
## How to read them

*Surer* and *nearer* are the shares of clips whose own speech has the higher confidence, or the lower distance, than
that of another clip: 0.5 where a level tells nothing apart. Few windows of a coarse level fit into so short a clip, so
that a random offset is small as well, and *right to one frame* is easy there: compare with the other speech.

The first table is about a speaker who was trained on. His sentences are all built alike, from silence to silence, so
at the two coarse levels another sentence fits his face nearly as well as his own: confidence at those levels says
little here, distance more. The second table decides what the file is worth on anybody else. It is a handful of clips,
in which MEAD's sound is known to be two frames late. There the finest level tells right from wrong speech and follows a
shift, not as surely as on the known speaker; **the coarser levels do not hold up on speakers that were not trained on,
and should not be quoted for them**. For a study of other people, train syncers on their corpus by the same recipe, and
name them in the metric.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("syncers", type=Path, nargs="?", default=BUNDLED_DIR / "metric-syncers.safetensors")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    PAGE.write_text(page(arguments.shared, arguments.syncers), "utf-8")
