"""Write docs/listening.md: how well features of speech predict the mouth, by linear regression.

    python benchmarks/listening.py SHARED_DATA

A ridge regression from the features around a frame to the opening and the width of the mouth at this frame is trained
on 100 sentences of GRID's speaker 1 only. Its penalty is the one with which 80 of them predict the other
20 best. A clip's figure is Pearson's correlation of the curves between 1 and 8 Hz at the best lag within 3 frames; the
tables have the mean over clips.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headmotion.core.interfaces.audio_encoder import AudioEncoder, SupportsAudioStreaming
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus
from headmotion.metrics.mouth_opening import best_correlation
from headmotion.metrics.signals import Signal, band_pass
from headmotion.representations.landmarks68 import Landmarks68

PAGE = Path(__file__).parent.parent / "docs" / "listening.md"
FPS, SAMPLES_PER_FRAME, REACH_FRAMES = 25, 640, 3
FACE = resolve_spec("representation", "landmarks68").build(None)
MOUTH = ((62, 66), (48, 54))
"""Inner lips, upper and lower, and the corners of the mouth, in iBUG's order."""
PENALTIES = (100.0, 1000.0, 3000.0, 10_000.0, 30_000.0)
SENTENCES = 100
SETS = ("GRID speaker 1, unseen sentences", "17 unseen speakers", "unseen speakers of Arabic")

INTRODUCTION = """\
# Audio encoders: how well features predict the mouth

Made by `python benchmarks/listening.py SHARED_DATA`.

The audio encoder decides how well a mouth can follow unseen speakers. The encoder `whisper` is the lower
part of [Whisper](https://arxiv.org/abs/2212.04356), which was trained on hundreds of thousands of hours of speech: its
convolutions and two layers of its smallest English model come with the package (8 MB, MIT). It gives 50 steps a second,
so a pipeline at 25 frames per second has two steps per frame:

```python
import headmotion as hm

pipe = hm.build({"audio_encoder": "whisper", "steps_per_frame": 2, "generator": {"type": "ms-sync", "preset": "small"}})
assert pipe.audio_encoder.channels == 384
```

In a recipe, the same two fields are under `pipeline`; `headmotion train small-whisper` trains MS-Sync on it.

```yaml
pipeline:
  audio_encoder: {type: whisper, look_ahead_ms: 120}
  steps_per_frame: 2
```

- `layers` and `weights`: more layers, or a larger Whisper (`size`), are read from a `.safetensors` file of the encoder,
  such as Hugging Face's. A checkpoint names the file by its SHA-256, or contains the weights (`weights_in_checkpoint`).
- `look_ahead_ms`: how much audio after its own time a step depends on, over all layers. `look_back_ms`: how far each
  layer's attention reaches back. Null means the whole clip; such an encoder cannot stream.
- No statistic of the clip is taken. Where Whisper takes the loudest moment of 30 seconds as the ceiling of its log-mel,
  the encoder has a fixed `ceiling`.
- Whisper has positions for 30 seconds. Windows of positions overlap and hand over every 15 seconds, at fixed frames, so
  that an hour of speech streams in constant memory and equals offline encoding (within 1e-4).
- The weights are constants: they are not trained, and no gradient passes through them.

"""
METHOD = """\
A ridge regression from the features around a frame (11 frames of log-mel, 5 of Whisper) to the opening and the width
of the mouth is trained on 100 sentences of GRID's speaker 1 only. Each figure is Pearson's correlation with
the recorded curve between 1 and 8 Hz at the best lag within 3 frames, the mean over clips: mouth opening / mouth width.
"""


@dataclass(frozen=True)
class FeatureReader:
    """An encoder and how much of its output a regression uses."""

    encoder: AudioEncoder
    steps_per_frame: int
    frames: int
    """Frames around the predicted one, itself included; an odd number."""

    @torch.inference_mode()
    def features(self, audio: np.ndarray[Any, Any], frames: int) -> Signal:
        """Return the features of every frame, ``[T, C]``: the mean of its steps."""
        wave = torch.from_numpy(np.asarray(audio, np.float32))[None]
        steps = self.encoder(wave, self.steps_per_frame * frames)[0]
        return steps.unflatten(0, (frames, self.steps_per_frame)).mean(1).numpy()

    def inputs(self, audio: np.ndarray[Any, Any], frames: int) -> Signal:
        """Return the features around every frame, with the first and the last one repeated, ``[T, frames * C]``."""
        return around(self.features(audio, frames), self.frames)


def around(features: Signal, frames: int) -> Signal:
    """Return each frame's features with those of its neighbors."""
    padded = np.pad(features, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + len(features)] for k in range(frames)], axis=1)


def feature_reader(described: dict[str, Any], frames: int = 5, steps_per_frame: int = 2) -> FeatureReader:
    """Build an encoder."""
    context = BuildContext(FACE, 0, steps_per_frame)
    return FeatureReader(resolve_spec("audio_encoder", described).build(context), steps_per_frame, frames)


def curves(clip: Clip) -> Signal:
    """Return opening and width of the mouth over the distance of the outer eye corners, ``[T, 2]``."""
    assert isinstance(FACE, Landmarks68)
    points = torch.from_numpy(clip.landmarks)[..., :2].double()
    left, right = FACE.scale_pair
    scale = (points[:, left] - points[:, right]).norm(dim=-1).mean()
    return np.stack([((points[:, a] - points[:, b]).norm(dim=-1) / scale).numpy() for a, b in MOUTH], axis=1)


def corpora(shared: Path) -> tuple[list[Clip], dict[str, list[Clip]]]:
    """Return the training sentences, and the measured clips by the name of their set."""
    grid = open_corpus(shared / "grid_s1")
    train = list(grid.select(split="train"))[::8][:SENTENCES]
    with (shared / "clips" / "index.csv").open(encoding="utf-8") as stream:
        confirmed = {row["id"] for row in csv.DictReader(stream) if row["sync"] == "confirmed"}
    people = Corpus(entry for entry in open_corpus(shared / "clips").entries if entry.id in confirmed)
    measured = (grid.select(split="val"), people, open_corpus(shared / "arabic"))
    return train, {name: list(corpus) for name, corpus in zip(SETS, measured, strict=True)}


@dataclass(frozen=True)
class Ridge:
    """A linear regression from standardized inputs."""

    mean: Signal
    scale: Signal
    weights: Signal

    def __call__(self, inputs: Signal) -> Signal:
        """Return predictions ``[T, 2]``, up to a constant."""
        return ((inputs - self.mean) / self.scale) @ self.weights


def fit(inputs: list[Signal], targets: list[Signal], penalties: tuple[float, ...] = PENALTIES) -> Ridge:
    """Fit with the penalty that predicts the last fifth of the clips best from the others."""
    centered = [target - target.mean(0) for target in targets]
    count = len(inputs) * 4 // 5
    held = np.concatenate(inputs[count:]), np.concatenate(centered[count:])
    candidates = list(_solutions(inputs[:count], centered[:count], penalties))
    errors = [float(((ridge(held[0]) - ridge(held[0]).mean(0) - held[1]) ** 2).mean()) for ridge in candidates]
    best = penalties[int(np.argmin(errors))]
    return next(_solutions(inputs, centered, (best * len(inputs) / count,)))


def _solutions(inputs: list[Signal], targets: list[Signal], penalties: tuple[float, ...]) -> Iterator[Ridge]:
    joined, target = np.concatenate(inputs), torch.from_numpy(np.concatenate(targets)).float()
    mean, scale = joined.mean(0), joined.std(0) + 1e-6
    standardized = torch.from_numpy((joined - mean) / scale).float()
    products, correlations = standardized.T @ standardized, standardized.T @ target
    for penalty in penalties:
        factor = torch.linalg.cholesky(products + penalty * torch.eye(len(products)))
        yield Ridge(mean, scale, torch.cholesky_solve(correlations, factor).double().numpy())


def banded(curve: Signal) -> Signal:
    """Return curves ``[T, 2]`` between 1 and 8 Hz."""
    return np.stack([band_pass(part, 1, 8, FPS, "listening benchmark") for part in curve.T], axis=1)


def correlation(predicted: Signal, recorded: Signal) -> list[float]:
    """Return the correlations of opening and width at the best lag."""
    left, right = banded(predicted), banded(recorded)
    return [best_correlation(left[:, k], right[:, k], REACH_FRAMES) for k in (0, 1)]


class Study:
    """The clips with their curves; regressions are trained and measured on them."""

    def __init__(self, shared: Path) -> None:
        self.begun = time.monotonic()
        self.train, self.measured = corpora(shared)
        self.targets = [curves(clip) for clip in self.train]

    def trained(self, reader: FeatureReader) -> Ridge:
        """Return the regression for an encoder."""
        return fit([reader.inputs(clip.audio, len(clip.landmarks)) for clip in self.train], self.targets)

    def row(self, reader: FeatureReader) -> list[str]:
        """Return the cells of an encoder's row: opening / width on every set."""
        ridge, cells = self.trained(reader), []
        for clips in self.measured.values():
            values = [correlation(ridge(reader.inputs(c.audio, len(c.landmarks))), curves(c)) for c in clips]
            cells.append(" / ".join(f"{value:.2f}" for value in np.mean(values, axis=0)))
        print(reader.encoder.spec, cells, f"{time.monotonic() - self.begun:.0f} s", flush=True)
        return cells

    def lag_ms(self, reader: FeatureReader, center_ms: float) -> float:
        """Return how much later than a frame the sound is that predicts its opening best (ms).

        The opening is predicted from the features of one frame, 4 frames earlier to 4 later; the lag is the vertex of
        the parabola through the best correlation and its neighbors.

        Args:
            reader: the encoder and its frames.
            center_ms: middle of the sound that the features of a frame describe, after the time of the frame.
        """
        grid = self.measured[SETS[0]]
        train = [reader.features(clip.audio, len(clip.landmarks)) for clip in self.train]
        unseen = [reader.features(clip.audio, len(clip.landmarks)) for clip in grid]
        recorded, lags, scores = [banded(curves(clip))[:, 0] for clip in grid], range(-4, 5), []
        for lag in lags:
            ridge = fit([_late(features, lag) for features in train], self.targets, (1000.0,))
            predicted = [banded(ridge(_late(features, lag)))[:, 0] for features in unseen]
            scores.append(np.mean([np.corrcoef(*pair)[0, 1] for pair in zip(predicted, recorded, strict=True)]))
        top = min(max(int(np.argmax(scores)), 1), len(scores) - 2)
        before, best, after = scores[top - 1 : top + 2]
        return float(40 * (lags[top] + (before - after) / (2 * (before - 2 * best + after))) + center_ms)

    def hand_over(self, reader: FeatureReader) -> dict[str, float]:
        """Return the mean correlation of the opening on unseen GRID sentences that are encoded as one recording.

        Sentences with a hand-over of positions in them, those without, and all of them encoded one by one.
        """
        grid, ridge = self.measured[SETS[0]], self.trained(reader)
        lengths = [len(clip.landmarks) for clip in grid]
        whole = reader.inputs(np.concatenate([clip.audio for clip in grid]), sum(lengths))
        starts = np.cumsum([0, *lengths])
        # The first hand-over is at 18 s, and one follows every 15 s.
        hand_overs = [frame for frame in range(450, sum(lengths), 375)]
        groups: dict[str, list[float]] = {"with a hand-over": [], "without": [], "one by one": []}
        for clip, start, count in zip(grid, starts, lengths, strict=False):
            inside = any(start + 10 <= frame < start + count - 10 for frame in hand_overs)
            score = correlation(ridge(whole[start : start + count]), curves(clip))[0]
            groups["with a hand-over" if inside else "without"].append(score)
            groups["one by one"].append(correlation(ridge(reader.inputs(clip.audio, count)), curves(clip))[0])
        return {f"{name} ({len(values)})": float(np.mean(values)) for name, values in groups.items()}


def _late(features: Signal, lag: int) -> Signal:
    """Return at every frame the features ``lag`` frames later, with the last or first one repeated."""
    return features[np.clip(np.arange(len(features)) + lag, 0, len(features) - 1)]


@torch.inference_mode()
def cost(encoder: AudioEncoder, samples: int | None) -> float:
    """Return the processor time of one thread for a second of speech (s), at best of three runs over ten seconds.

    Args:
        encoder: the encoder.
        samples: per call of a stream; None: all at once.
    """
    wave, times = 0.1 * torch.randn(1, 160_000, generator=torch.Generator().manual_seed(0)), []
    for _ in range(3):
        start = time.process_time()
        if samples is None:
            encoder(wave)
        else:
            assert isinstance(encoder, SupportsAudioStreaming)
            state = encoder.init_state(1)
            for chunk in wave.split(samples, dim=1):
                _, state = encoder.step(chunk, state)
        times.append(time.process_time() - start)
    return min(times) / 10


def table(first: str, rows: dict[str, list[str]], titles: tuple[str, ...] = SETS) -> str:
    """Return a table in Markdown."""
    lines = [f"| {first} | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]) + "\n\n"


def encoders(shared: Path) -> dict[str, dict[str, Callable[[], FeatureReader]]]:
    """Return what is measured: by table, and in it by row."""
    tiny = str(shared / "models" / "whisper-tiny-en-encoder.safetensors")
    base = {"size": "base", "weights": str(shared / "models" / "whisper-base-encoder-3.safetensors")}
    clip = {"look_ahead_ms": None, "look_back_ms": None}

    def whisper(**fields: Any) -> Callable[[], FeatureReader]:
        return lambda: feature_reader({"type": "whisper", **fields})

    return {
        "encoder": {
            "`log-mel` (26), 11 frames": lambda: feature_reader({"type": "log-mel"}, 11, 4),
            "`whisper` (the default), 5 frames": whisper(),
            "`whisper`, whole clip, 5 frames": whisper(**clip),
        },
        "look-ahead of two layers": {f"{ms:g} ms": whisper(look_ahead_ms=ms) for ms in (32.5, 72.5, 112.5, 152.5)},
        "layers of tiny.en, whole clip": {
            f"{layers}": whisper(layers=layers, weights=tiny, **clip) for layers in (1, 2, 3, 4)
        }
        | {"3 of base (multilingual)": whisper(layers=3, **base, **clip)},
    }


def main(shared: Path) -> None:
    """Measure everything and write the page."""
    study = Study(shared)
    text = INTRODUCTION + METHOD
    for number, (first, rows) in enumerate(encoders(shared).items()):
        text += ("\n" if number == 0 else "") + table(first, {name: study.row(make()) for name, make in rows.items()})
    log_mel, whisper = feature_reader({"type": "log-mel"}, 11, 4), feature_reader({"type": "whisper"})
    # A frame has the mean of its steps, at 0, 20 or at 0, 10, 20, 30 ms. Log-mel's windows begin at their steps.
    lags = [study.lag_ms(whisper, 10), study.lag_ms(log_mel, 15 + 12.5)]
    handed = study.hand_over(whisper)
    seconds = [cost(whisper.encoder, samples) for samples in (None, 16_000, 640)] + [cost(log_mel.encoder, None)]
    PAGE.write_text(text + conclusions(lags, handed, seconds), "utf-8")


def conclusions(lags_ms: list[float], hand_over: dict[str, float], seconds: list[float]) -> str:
    """Return what the page says below its tables.

    Args:
        lags_ms: of sound after the mouth, by whisper and by log-mel.
        hand_over: what `Study.hand_over` returns.
        seconds: cost of whisper at once, in blocks of a second and of a frame, and of log-mel.
    """
    correlations = ", ".join(f"{name} {value:.3f}" for name, value in hand_over.items())
    return f"""\
- Time. From single frames, a mouth's opening is predicted best from the sound {lags_ms[0]:.0f} ms after the frame with
  `whisper`, and {lags_ms[1]:.0f} ms after it with `log-mel`. An offset of the features would show as a difference;
  such regressions resolve about half a frame (20 ms).
- Hand-overs of positions. With the unseen GRID sentences as one recording of five minutes, the correlation of the
  mouth's opening is: {correlations}. The regression was trained on positions of the first three seconds only.
- Cost, on two cores that were busy with other work. One thread takes {seconds[0]:.3f} s for a second of speech,
  {seconds[1]:.3f} s in a stream of blocks of a second, and {seconds[2]:.3f} s in a stream of single frames, which reads
  all weights every 40 ms. `log-mel` takes {seconds[3]:.4f} s.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    main(arguments.shared)
