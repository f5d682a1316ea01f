"""How well the weights of the model `blendshapes` follow speech on unseen clips; writes docs/blendshapes.md.

    python benchmarks/blendshapes.py SHARED_DATA CORPUS [MODEL]

CORPUS is what ``tools/blendshape_corpus.py`` wrote, of which the split ``val`` is measured. Unseen speakers are those
of SHARED_DATA/videos: five of GRID and three others, none of them in the training data.

Truth is what the detector `face-mesh` finds in the video. The reference is a clip's first frame. ``correlation`` is
Pearson's, of a weight (the mean of left and right) with the detected one at the best lag within 3 frames, both
band-passed to 1..8 Hz; a clip counts where the detected weight varies (standard deviation above `LEAST_SPREAD`).
Another clip's audio is cut or repeated to the length. The amplitude is the standard deviation of the generated curve
over that of the detected one. The error is the mean absolute difference of all weights of jaw and mouth. Tables have
means over clips with their 95 % interval (bootstrap). A blink is a rise of the mean of both lids' weights above 0.35.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import mouth  # pyright: ignore[reportMissingImports]
import numpy as np
import torch
from numpy.typing import NDArray

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.metrics.mouth_opening import best_correlation
from headmotion.pipeline.loading import model_path
from headmotion.preparation import prepare
from headmotion.representations.blendshapes import NAMES

PAGE = Path(__file__).parent.parent / "docs" / "blendshapes.md"
MEASURED = ("jawOpen", "mouthFunnel", "mouthPucker", "mouthLowerDown", "mouthUpperUp", "mouthRollLower", "mouthSmile")
"""Shapes of the table, without their side."""
SEEN_SPEAKER = "grid_lwbsza.mpg"
"""Of the videos, one of speaker s4, who is in the training data."""
LEAST_SPREAD = 0.02
LIPS = [k for k, name in enumerate(NAMES) if name.startswith(("jaw", "mouth"))]

Values = NDArray[np.float64]


def unseen(shared: Path, corpus: Path) -> dict[str, list[Clip]]:
    """Return the clips that are measured, by their title; those of unseen speakers are prepared next to the corpus."""
    held_out = list(open_corpus(corpus).select(split="val"))
    videos = [path for path in sorted((shared / "videos").iterdir()) if path.name not in (SEEN_SPEAKER, "no_audio.mp4")]
    folder = corpus.parent / "unseen"
    if not (folder / "corpus.json").exists():
        prepare(videos, folder, {"type": "face-mesh", "max_faces": 1}, "blendshapes", max_seconds=12)
    others = list(open_corpus(folder))
    return {
        "s1, unseen sentences": [clip for clip in held_out if clip.speaker != "s4"],
        "s4, unseen sentences": [clip for clip in held_out if clip.speaker == "s4"],
        "unseen speakers of GRID": [clip for clip in others if clip.source.startswith("grid")],
        "other unseen speakers": [clip for clip in others if not clip.source.startswith("grid")],
    }


def curve(values: Values, name: str) -> Values:
    """Return a weight ``[T]`` of motion ``[T, 52]``, the mean of both sides if it has sides."""
    columns = [k for k, shape in enumerate(NAMES) if shape in (name, f"{name}Left", f"{name}Right")]
    return np.asarray(values[:, columns].mean(axis=1))


def generate(pipe: hm.Pipeline, audio: NDArray[np.float32], clip: Clip) -> Values:
    """Return the weights ``[T, 52]`` for speech, from the first frame of a clip."""
    motion = pipe.generate((np.resize(audio, len(clip.audio)), 16_000), clip.landmarks[:1])
    return motion.values[: len(clip.landmarks), :, 0].double().numpy()


def measure(pipe: hm.Pipeline, clips: Sequence[Clip], mean: Values) -> dict[str, list[float]]:
    """Return the values of clips by name: ``jawOpen``, ``jawOpen shuffled``, ``error model`` ..."""
    scores: dict[str, list[float]] = {}
    for number, clip in enumerate(clips):
        recorded = clip.landmarks[..., 0].astype(np.float64)
        other_clip = clips[(number + max(1, len(clips) // 2)) % len(clips)]
        generated = {"": generate(pipe, clip.audio, clip), " shuffled": generate(pipe, other_clip.audio, clip)}
        for name in MEASURED:
            recorded_curve = curve(recorded, name)
            if recorded_curve.std() < LEAST_SPREAD:
                continue
            for kind, values in generated.items():
                banded = (mouth.banded(curve(values, name)), mouth.banded(recorded_curve))
                scores.setdefault(f"{name}{kind}", []).append(best_correlation(*banded, mouth.SPEC.reach_frames))
            scores.setdefault(f"{name} amplitude", []).append(curve(generated[""], name).std() / recorded_curve.std())
        motions = {"model": generated[""], "shuffled": generated[" shuffled"], "mean": mean, "still": recorded[:1]}
        for kind, values in motions.items():
            scores.setdefault(f"error {kind}", []).append(float(np.abs(values - recorded)[:, LIPS].mean()))
        scores.setdefault("blinks model", []).append(blinks(generated[""]) / clip.seconds * 60)
        scores.setdefault("blinks recorded", []).append(blinks(recorded) / clip.seconds * 60)
    return scores


def blinks(values: Values, threshold: float = 0.35) -> int:
    """Return how often the lids close in motion ``[T, 52]``."""
    closed = curve(values, "eyeBlink") > threshold
    return int((closed[1:] & ~closed[:-1]).sum())


def interval(values: Sequence[float], digits: int = 2) -> str:
    """Return a mean and its interval as text; nothing for no values."""
    if not values:
        return ""
    stated = mouth.interval(list(values))
    return f"{stated['mean']:.{digits}f} ({stated['low']:.{digits}f} to {stated['high']:.{digits}f})"


def tables(results: dict[str, dict[str, list[float]]], counts: dict[str, int]) -> list[str]:
    """Return the tables of the page."""
    lines = []
    for title, scores in results.items():
        lines += [f"### {title}", "", f"{counts[title]} clips.", ""]
        lines += ["| weight | clips | correlation | another clip's audio | amplitude |", "|---|---|---|---|---|"]
        for name in MEASURED:
            if values := scores.get(name):
                cells = (interval(scores[f"{name}{kind}"]) for kind in ("", " shuffled", " amplitude"))
                lines.append(f"| `{name}` | {len(values)} | {' | '.join(cells)} |")
        lines.append("")
    lines += ["### Error of jaw and mouth", ""]
    lines += ["| clips | model | another clip's audio | the training data's mean | the first frame, held |"]
    lines += ["|---|---|---|---|---|"]
    for title, scores in results.items():
        cells = (interval(scores[f"error {kind}"], 3) for kind in ("model", "shuffled", "mean", "still"))
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", "### Blinks per minute", "", "| clips | model | recorded |", "|---|---|---|"]
    for title, scores in results.items():
        lines.append(f"| {title} | {interval(scores['blinks model'], 0)} | {interval(scores['blinks recorded'], 0)} |")
    return [*lines, ""]


def page(name: str, body: list[str]) -> str:
    """Return docs/blendshapes.md."""
    header = read_header(model_path(name))
    facts, path = header.card, model_path(name)
    sources = ", ".join(f"`{source}`" for source in sorted(set(facts["sources"])))
    intro = (__doc__ or "").split("\n\n", 3)
    return "\n".join([
        "# Blend shapes",
        "",
        "Made by `python benchmarks/blendshapes.py SHARED_DATA CORPUS`.",
        "",
        "```",
        f"headmotion animate speech.wav --model {name} -o talk.csv",
        f"headmotion animate speech.wav --model {name} --image face.png -o talk.glb",
        "```",
        "",
        "`talk.csv` has a column per weight; `talk.glb` is a head whose morph targets have ARKit's names",
        "([Export](export.md#gltf)). With a picture, the motion starts from the weights that the detector finds in it.",
        "",
        f"## The model `{name}`",
        "",
        f"- {path.stat().st_size / 1e6:.1f} MB, {header.parameters:,} numbers, sha256 `{header.sha256[:16]}...`",
        f"- trained on {facts['clips']} clips of {facts['speakers']} speakers, {facts['hours']:.2f} hours: {sources};",
        "  weights are those that `face-mesh` finds in the videos",
        f"- recipe `{facts['name']}`: {facts['training_seconds'] / 60:.0f} minutes on a CPU that did other work too",
        "- the tongue's weight stays at 0, because the detector does not see it",
        "",
        "```",
        "python tools/blendshape_corpus.py SHARED_DATA runs/blendshape-corpus",
        "headmotion train blendshapes-cpu --data runs/blendshape-corpus/all -o runs/blendshapes",
        "```",
        "",
        "## On unseen clips",
        "",
        *body,
        "## How it is measured",
        "",
        "\n\n".join(intro[2:]).strip(),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", nargs="?", default="blendshapes", help="another one is printed, not written")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sets = unseen(arguments.shared, arguments.corpus)
    training = [clip.landmarks[..., 0] for clip in open_corpus(arguments.corpus).select(split="train")]
    average = np.concatenate(training).astype(np.float64).mean(axis=0, keepdims=True)
    pipeline = hm.load(arguments.model, device="cpu")
    measured = {title: measure(pipeline, clips, average) for title, clips in sets.items()}
    text = tables(measured, {title: len(clips) for title, clips in sets.items()})
    if arguments.model == "blendshapes":
        PAGE.write_text(page(arguments.model, text), "utf-8")
    print("\n".join(text))
