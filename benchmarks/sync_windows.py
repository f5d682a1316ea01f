"""Write docs/sync-windows.md: how well speech and motion can be matched, by window, features and training speakers.

    python benchmarks/sync_windows.py SHARED_DATA CORPUS

CORPUS is that of the bundled `causal-flow` ([its page](causal-flow.md) has the commands).

A small syncer is trained for each row: a linear layer to 64 channels, convolutions of width 64 that halve the length,
and a linear layer to embeddings of 64 numbers, for speech and for motion. It learns by InfoNCE among 128 windows, up to
four of each clip, `STEPS` steps. Motion is relative to its mean in the window; features are standardized, and in
training have noise, offsets and missing channels as in the recipe `causal-flow`. The clips are those of the corpus
whose motion is as recorded, of GRID's speaker 1 every third sentence, so that one speaker is not most of it.

``top-1 of 48`` is that of ``benchmarks/syncers.py``: the fraction of windows whose own speech is nearest among 48 from
random places of random clips, here of consecutive frames (the finest level); chance is 0.02. Other speakers are the
split `val` of `clips`, of whom no clip is trained on; *confirmed* are those whose sound is known to belong to the
mouth. They are few, so that long windows of one clip overlap. Clips of Arabic words are shorter than 40 frames.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import models  # pyright: ignore[reportMissingImports]
import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import syncers  # pyright: ignore[reportMissingImports]
import torch
from torch import Tensor, nn
from torch.nn import functional

from headmotion.core.interfaces.audio_encoder import AudioEncoder
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.losses.sync import contrastive_loss
from headmotion.training.feature_cache import FeatureCache

PAGE = Path(__file__).parent.parent / "docs" / "sync-windows.md"
FACE = resolve_spec("representation", "landmarks68").build(None)
ENCODERS = {"whisper": ({"type": "whisper", "look_ahead_ms": 120}, 2), "log-mel": ({"type": "log-mel"}, 4)}
"""Specs of encoders, and their steps per frame."""
ROWS = (("whisper", "all", 5), ("whisper", "speaker 1", 5), ("log-mel", "all", 5), ("whisper", "all", 10),
        ("whisper", "all", 20), ("whisper", "all", 40))  # fmt: skip
"""Features, training speakers and frames of the window of each row."""
STEPS, GROUP, MOST_PER_CLIP, WIDTH, EMBEDDING, CLIP_FRAMES = 500, 128, 4, 64, 64, 75
OFFSETS, DROPOUT, JITTER = 0.25, 0.15, 0.7
SPEAKER_BALANCE, SHRINK, INVERSE_TEMPERATURE = 0.3, 0.1, 15.0
FIRST_SPEAKER = "GRID corpus, speaker s1"


@dataclass(frozen=True)
class Example:
    """A clip: who speaks, motion ``[T, N]`` of the unit frame and features ``[T, steps, C]``."""

    speaker: str
    source: str
    motion: Tensor
    audio: Tensor


class Tower(nn.Module):
    """Embeds windows ``[n, length, channels]`` as unit vectors ``[n, E]``."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.input, layers = nn.Linear(channels, WIDTH), list[nn.Module]()
        while length > 3:
            layers += [nn.Conv1d(WIDTH, WIDTH, 3, 2, 1), nn.GroupNorm(1, WIDTH), nn.GELU()]
            length = (length + 1) // 2
        self.layers, self.output = nn.Sequential(*layers), nn.Linear(WIDTH * length, EMBEDDING)

    def forward(self, windows: Tensor) -> Tensor:
        embedded: Tensor = self.output(self.layers(self.input(windows).mT).flatten(1))
        return functional.normalize(embedded, dim=-1)


class Pair(nn.Module):
    """The towers of speech and motion, with their standardization."""

    def __init__(self, frames: int, examples: Sequence[Example]) -> None:
        super().__init__()
        steps, channels = examples[0].audio.shape[1:]
        self.frames, audio = frames, torch.cat([example.audio.float().flatten(0, 1) for example in examples])
        moved = torch.cat([_windows(example.motion, frames)[::frames] for example in examples])
        self.mean, self.deviation = audio.mean(0), audio.std(0) + 1e-3
        self.spread = (moved - moved.mean(1, keepdim=True)).std((0, 1)) + 1e-4
        self.speech, self.motion = Tower(channels, frames * steps), Tower(examples[0].motion.shape[1], frames)

    def embed_motion(self, windows: Tensor) -> Tensor:
        """Embed motion ``[n, frames, N]``."""
        embedded: Tensor = self.motion((windows - windows.mean(1, keepdim=True)) / self.spread)
        return embedded

    def embed_speech(self, windows: Tensor) -> Tensor:
        """Embed features ``[n, frames, steps, C]``."""
        scaled = (windows.float().flatten(1, 2) - self.mean) / self.deviation
        if self.training:
            count, _, channels = scaled.shape
            scaled = scaled + OFFSETS * torch.randn(count, 1, channels) + JITTER * torch.randn(scaled.shape)
            scaled = scaled * (torch.rand(count, 1, channels) >= DROPOUT)
        embedded: Tensor = self.speech(scaled)
        return embedded


def _windows(values: Tensor, frames: int) -> Tensor:
    """Return all windows ``[W, frames, ...]`` of ``[T, ...]``."""
    return values.unfold(0, frames, 1).movedim(-1, 1)


def examples_of(corpus: Corpus, encoder: AudioEncoder, steps: int, cache: Path) -> list[Example]:
    """Return the clips with their features, which are kept in a folder."""
    features, result = FeatureCache(cache, steps), []
    features.fill(corpus, encoder)
    for index, clip in enumerate(corpus):
        points = torch.from_numpy(clip.landmarks[..., :2]).float()
        motion = FACE.normalize(points, FACE.frame_of(points[:1])).flatten(1)
        audio = torch.from_numpy(features.read(index, 0, len(motion))).half().unflatten(0, (len(motion), steps))
        result.append(Example(str(clip.speaker), str(clip.source), motion, audio))
    return result


def _is_made(source: str) -> bool:
    """Return whether the motion of a clip differs from what was recorded."""
    return source.endswith((", moved head", ", silent"))


def training_clips(corpus: Corpus) -> Corpus:
    """Return the clips of the split `train` whose motion is as recorded, every third of the first speaker."""
    entries = [entry for entry in corpus.select(split="train").entries if not _is_made(str(entry.source))]
    first = [entry for entry in entries if entry.source == FIRST_SPEAKER][::3]
    return Corpus([*first, *(entry for entry in entries if entry.source != FIRST_SPEAKER)])


def train(examples: Sequence[Example], frames: int) -> Pair:
    """Return trained towers."""
    torch.manual_seed(0)
    rng, examples = np.random.default_rng(0), [e for e in examples if len(e.motion) >= frames]
    pair, weights = Pair(frames, examples), _weights(examples)
    optimizer = torch.optim.AdamW(pair.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, STEPS, pct_start=0.1)
    per_clip = min(MOST_PER_CLIP, CLIP_FRAMES // frames)
    for _ in range(STEPS):
        motion, audio = list[Tensor](), list[Tensor]()
        while len(motion) < GROUP:
            example = examples[rng.choice(len(examples), p=weights)]
            count = min(per_clip, len(example.motion) // frames, GROUP - len(motion))
            gaps = np.sort(rng.integers(0, len(example.motion) - count * frames + 1, count))
            moving = _varied(example.motion, rng)
            for start in gaps + frames * np.arange(count):
                motion.append(moving[start : start + frames])
                audio.append(example.audio[start : start + frames])
        embedded = pair.embed_speech(torch.stack(audio)), pair.embed_motion(torch.stack(motion))
        optimizer.zero_grad()
        contrastive_loss(*embedded, temperature=1 / INVERSE_TEMPERATURE).backward()
        nn.utils.clip_grad_norm_(pair.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return pair.eval()


def _weights(examples: Sequence[Example]) -> np.ndarray:
    """Return the probability of each clip: speakers by their seconds to the power of one minus the balance."""
    frames = dict[str, int]()
    for example in examples:
        frames[example.speaker] = frames.get(example.speaker, 0) + len(example.motion)
    weights = np.array([len(e.motion) * frames[e.speaker] ** -SPEAKER_BALANCE for e in examples])
    return weights / weights.sum()


def _varied(motion: Tensor, rng: np.random.Generator) -> Tensor:
    """Return motion ``[T, N]`` of another size, and mirrored every other time."""
    size = float(rng.uniform(1 - SHRINK, 1 + SHRINK))
    if rng.random() < 0.5:
        motion = FACE.flip(motion.unflatten(1, (FACE.points, FACE.dims))).flatten(1)
    return size * motion


@torch.no_grad()
def top1(pair: Pair, examples: Sequence[Example]) -> str:
    """Return the fraction of windows that are recognized, with its interval; empty if clips are too short."""
    clips = []
    for example in examples:
        if len(example.motion) >= pair.frames:
            motion, audio = (_windows(values, pair.frames) for values in (example.motion, example.audio))
            embedded = pair.embed_motion(motion), pair.embed_speech(audio)
            clips.append(syncers.Windows(*embedded, np.ones(len(motion), np.bool_)))
    return models.with_interval(syncers.figure(clips, False), "mean") if clips else ""


def measured_sets(shared: Path) -> dict[str, Corpus]:
    """Return the clips that are measured, by the title of their column."""
    return {
        "GRID speaker 1, unseen sentences": open_corpus(shared / "grid_s1").select(split="val"),
        "unseen speakers": open_corpus(shared / "clips").select(split="val"),
        "unseen speakers, confirmed": mouth.evaluation_only(shared),
        "unseen speakers of Arabic": open_corpus(shared / "arabic"),
    }


READING = """\
## How to read it

- At 200 ms, syncers that match many windows of a known speaker match few of other speakers. Longer windows help for
  everyone: the goal, 0.30 for unseen speakers, is reached with windows of 800 ms, but not at the two finest levels, of
  200 and 400 ms.
- More speakers of this corpus do not help: the first one alone teaches as much about others as all do. A dozen people
  are recorded in it; the others are synthetic voices over faces made from the first. Whether many recorded people would
  help is not tested.
- Features help: with `log-mel` the same syncers recognize less. On unseen speakers most intervals overlap, so no
  syncers on `whisper` are shipped.
"""


def main(shared: Path, corpus: Path, cache: Path) -> None:
    """Train, measure and write the page."""
    loaded, lines, sets = {}, [], measured_sets(shared)
    for name, (spec, steps) in ENCODERS.items():
        encoder = resolve_spec("audio_encoder", spec).build(BuildContext(FACE, 0, steps)).eval()
        parts = {"train": training_clips(open_corpus(corpus))} | sets
        loaded[name] = {title: examples_of(part, encoder, steps, cache) for title, part in parts.items()}
    for features, speakers, frames in ROWS:
        examples = [e for e in loaded[features]["train"] if speakers == "all" or e.source == FIRST_SPEAKER]
        pair = train(examples, frames)
        cells = [top1(pair, loaded[features][title]) for title in sets]
        who = f"{len(examples)} of {len({e.speaker for e in examples})}"
        lines.append(f"| `{features}` | {who} | {frames} ({40 * frames} ms) | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    head = [
        "# Syncers and the length of their windows",
        "",
        "Made by `python benchmarks/sync_windows.py SHARED_DATA CORPUS`.",
        "",
    ]
    head += [f"| features | clips of speakers | window, frames | {' | '.join(sets)} |", "|---" * (3 + len(sets)) + "|"]
    tail = ["", READING, "## How it is measured", "", models.protocol(sys.modules[__name__]), ""]
    PAGE.write_text("\n".join([*head, *lines, *tail]), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("runs/features"), help="folder of features")
    torch.set_num_threads(1)
    main(**vars(parser.parse_args()))
