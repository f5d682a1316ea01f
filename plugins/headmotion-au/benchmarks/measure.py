"""Measure units predicted from speech and from pictures, on clips not trained on, and write the tables of a page.

    python plugins/headmotion-au/benchmarks/measure.py runs/units au/units [--run runs/au] [--shapes runs/grid/all]

``runs/units`` is a corpus of action units (``python -m headmotion_au``), the second argument a model with
``au/audio-to-au``. With ``--run``, the folder of a training of the recipe ``au/grid``, its classifier is measured too.
With ``--shapes``, the corpus of landmarks that the units were made of, units of blend shapes are compared with them. It
writes ``docs/au.md`` between its marks.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from headmotion_au.facs import PRESENCE
from headmotion_au.label_corpus import units_from_geometry, units_from_shapes
from numpy.typing import NDArray

import headmotion as hm
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import Corpus, open_corpus

PAGE = Path(__file__).parents[3] / "docs" / "au.md"
BEGIN, END = "<!-- measured units -->\n", "<!-- end of measured units -->\n"
SPLITS = {"val": "other sentences of the speakers trained on", "test": "speakers not trained on"}
RIDGE = 100.0
"""Penalty of the regression, in squares of standardized features."""
RIDGE_FRAMES = 6000
"""Frames of training clips that it is fitted to."""
Units = NDArray[np.float32]
"""``[T, N]``."""


def correlation(predicted: Units, recorded: Units) -> list[float]:
    """Return the correlation of each unit over a clip; NaN where the recorded one does not move."""
    values = []
    for ours, theirs in zip(predicted.T.astype(float), recorded.T.astype(float), strict=True):
        if theirs.std() < 1e-3:
            values.append(np.nan)
        else:
            values.append(0.0 if ours.std() < 1e-9 else float(np.corrcoef(ours, theirs)[0, 1]))
    return values


def f1(predicted: Units, recorded: Units) -> list[float]:
    """Return the F1 of presence of each unit; NaN where it is never present."""
    ours, theirs = predicted >= PRESENCE, recorded >= PRESENCE
    hits, total = (ours & theirs).sum(0), ours.sum(0) + theirs.sum(0)
    return [2 * hit / all_ if there else np.nan for hit, all_, there in zip(hits, total, theirs.any(0), strict=True)]


def scores(pairs: Sequence[tuple[Units, Units]], units: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return correlation (the mean over clips) and F1 (over all frames) of each unit, and their means."""
    correlations = np.array([correlation(*pair) for pair in pairs])
    presence = f1(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
    values = {
        unit: (float(np.nanmean(column)) if np.isfinite(column).any() else np.nan, score)
        for unit, column, score in zip(units, correlations.T, presence, strict=True)
    }
    means = [float(np.nanmean([pair[part] for pair in values.values()])) for part in (0, 1)]
    return values | {"mean": (means[0], means[1])}


class Ridge:
    """Linear regression of units from the features of a frame and three neighbors on each side."""

    def __init__(self, pipe: hm.Pipeline, corpus: Corpus) -> None:
        self.pipe = pipe
        rows, goals = [], []
        for index in np.unique(np.linspace(0, len(corpus) - 1, RIDGE_FRAMES // 75).round().astype(int)).tolist():
            rows.append(self._features(corpus[index]))
            goals.append(corpus[index].landmarks[..., 0])
        features = np.concatenate(rows)
        self.mean, self.scale = features.mean(0), features.std(0) + 1e-6
        inputs, targets = (features - self.mean) / self.scale, np.concatenate(goals)
        self.offset = targets.mean(0)
        products = inputs.T @ inputs + RIDGE * np.eye(inputs.shape[1])
        self.weights = np.linalg.solve(products, inputs.T @ (targets - self.offset))

    def __call__(self, clip: Clip) -> Units:
        """Return the units of a clip."""
        return (self._features(clip) - self.mean) / self.scale @ self.weights + self.offset

    def _features(self, clip: Clip) -> Units:
        frames, steps = len(clip.landmarks), self.pipe.spec.steps_per_frame
        with torch.no_grad():
            features = self.pipe.audio_encoder(torch.from_numpy(clip.audio)[None], frames * steps)[0].numpy()
        flat = features.reshape(frames, -1)
        padded = np.pad(flat, ((3, 3), (0, 0)), mode="edge")
        return np.concatenate([padded[k : k + frames] for k in range(7)], axis=1)


def units_from_speech(pipe: hm.Pipeline, clip: Clip) -> Units:
    """Return the units that a model predicts from the speech."""
    return pipe.generate((clip.audio, SAMPLE_RATE)).values[..., 0].numpy()


@torch.no_grad()
def units_from_pictures(classifier: torch.nn.Module, clip: Clip) -> Units:
    """Return the units that the classifier finds in the pictures."""
    frames = torch.from_numpy(clip.frames.read()).float()[None] / 255
    return torch.sigmoid(classifier.logits(frames))[0].numpy()


def load_classifier(run: Path, representation: hm.Representation) -> torch.nn.Module | None:
    """Return the classifier of a run's phase, None if the run has none."""
    from safetensors.torch import load_file

    path = run / "finished" / "classifier.safetensors"
    if not path.exists():
        return None
    part = json.loads((run / "recipe.json").read_text("utf-8"))["phases"]["classifier"]["part"]
    classifier = hm.resolve_spec("discriminator", part).build(hm.BuildContext(representation, 13))
    prefix = "module/classifier/"
    stored = load_file(path)
    own = {name.removeprefix(prefix): tensor for name, tensor in stored.items() if name.startswith(prefix)}
    classifier.load_state_dict({name: own[name] for name in classifier.state_dict()})
    return classifier.eval()


def table(rows: Mapping[str, Mapping[str, tuple[float, float]]]) -> list[str]:
    """Return rows of ``correlation / F1`` in Markdown."""
    columns = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows.items():
        cells = [" / ".join("-" if np.isnan(x) else f"{x:.2f}" for x in values[column]) for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def agreement(shapes: Corpus, clips: Sequence[Clip], units: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return how units of blend shapes agree with those of landmarks, on the same clips."""
    representation = hm.resolve_spec("representation", "blendshapes").build()
    detector = hm.resolve_spec("detector", "face-mesh").build(hm.BuildContext(representation, 0))
    numbers = {shapes.id_of(k): k for k in range(len(shapes))}
    pairs = []
    for clip in clips:
        original = shapes[numbers[clip.id]]
        geometry = units_from_geometry(original, units).numpy()
        pairs.append((units_from_shapes(original, tuple(units), detector).numpy(), geometry))
    return scores(pairs, units)


def measure(corpus: Corpus, pipe: hm.Pipeline, run: Path | None, clips: int, others: Mapping[str, str]) -> list[str]:
    """Return the lines of the tables of all splits."""
    train, units = corpus.select(split="train"), pipe.representation.point_names
    mean = np.concatenate([train[k].landmarks[..., 0] for k in range(0, len(train), 8)]).mean(0)
    ridge = Ridge(pipe, train)
    classifier = None if run is None else load_classifier(run, pipe.representation)
    methods: dict[str, Callable[[Clip], Units]] = {
        "mean of the training clips": lambda clip: np.broadcast_to(mean, clip.landmarks.shape[:2]).astype(np.float32),
        "ridge on the same features": ridge,
        "`au/audio-to-au`": lambda clip: units_from_speech(pipe, clip),
    }
    for name, path in others.items():
        other = hm.load(path, device="cpu")
        methods[name] = lambda clip, other=other: units_from_speech(other, clip)
    if classifier is not None:
        methods["`au/classifier`, in pictures"] = lambda clip: units_from_pictures(classifier, clip)
    lines = []
    for split, meaning in SPLITS.items():
        part = corpus.select(split=split)
        numbers = np.unique(np.linspace(0, len(part) - 1, min(clips, len(part))).round().astype(int)).tolist()
        chosen = [part[number] for number in numbers]
        recorded = [clip.landmarks[..., 0] for clip in chosen]
        predicted = {name: [method(clip) for clip in chosen] for name, method in methods.items()}
        lines += [f"### {split}: {meaning}, {len(chosen)} clips", ""]
        lines += table(
            {name: scores(list(zip(values, recorded, strict=True)), units) for name, values in predicted.items()}
        )
    return lines


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("corpus", type=Path, help="corpus of action units")
    parser.add_argument("model", help="model with au/audio-to-au")
    parser.add_argument("--run", type=Path, help="folder of the run that trained the classifier")
    parser.add_argument("--other", action="append", default=[], metavar="NAME=MODEL", help="another generator of units")
    parser.add_argument("--shapes", type=Path, help="corpus of landmarks with pictures")
    parser.add_argument("--clips", type=int, default=6, help="clips per split at most")
    arguments = parser.parse_args()
    corpus, pipe = open_corpus(arguments.corpus), hm.load(arguments.model, device="cpu")
    others = dict(text.split("=", 1) for text in arguments.other)
    lines = measure(corpus, pipe, arguments.run, arguments.clips, others)
    if arguments.shapes:
        part, units = corpus.select(split="val"), pipe.representation.point_names
        chosen = [part[k] for k in range(0, len(part), max(1, len(part) // arguments.clips))][: arguments.clips]
        lines += [f"### Sources of units: blend shapes against landmarks, {len(chosen)} clips of val", ""]
        lines += table({"blend shapes": agreement(open_corpus(arguments.shapes), chosen, units)})
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + END + rest.split(END)[1], "utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
