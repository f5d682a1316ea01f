"""Arguments of a wrong type in public calls of Python: one clear line, not a TypeError from deep inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training.trainer import train

SPEECH = (np.zeros(1600, np.float32), 16_000)
Call = Callable[[hm.Pipeline, hm.Motion], Any]


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build({"generator": {"type": "ms-sync", "preset": "small"}}, device="cpu")


@pytest.fixture(scope="module")
def motion(pipe: hm.Pipeline) -> hm.Motion:
    return pipe.generate(SPEECH)


def generating(**options: Any) -> Call:
    return lambda pipe, motion: pipe.generate(SPEECH, **options)


def rendering(motions: Any = None, path: Any = "x.gif", **options: Any) -> Call:
    return lambda pipe, motion: pipe.render(motion if motions is None else motions, path, quiet=True, **options)


WRONG: dict[str, tuple[Call, str]] = {
    "a word for a seed": (generating(seed="x"), "seed: expected a whole number from 0 and below .*, got str 'x'"),
    "true for a seed": (generating(seed=True), "seed: expected a whole number from 0 and below .*, got bool True"),
    "true for a setting": (
        lambda pipe, motion: pipe.with_generator(velocity_scale=True),
        "ms-sync spec: expected velocity_scale: a number, got True",
    ),
    "half a seed": (generating(seed=1.5), "seed: expected a whole number"),
    "no seed": (generating(seed=None), "seed: expected a whole number .*, got None"),
    "a seed below 0": (generating(seed=-1), "seed: expected a whole number"),
    "a huge seed": (generating(seed=1 << 64), "seed: expected a whole number"),
    "a number for controls": (generating(controls=5), "controls: expected a list of controls"),
    "one control": (generating(controls=hm.controls.blink(3)), "controls: expected a list of controls"),
    "a word for controls": (generating(controls="smooth"), "controls: expected a list of controls"),
    "words for controls": (generating(controls=["smooth"]), "controls: .* got str 'smooth' in it"),
    "one text for overrides": (
        lambda pipe, motion: train("smoke", ["corpus"], "run", overrides="a=1"),
        "overrides: expected a list of texts such as a.b=1, got str 'a=1'",
    ),
    "one text for corpora": (lambda pipe, motion: train("smoke", "corpus", "run"), "data: expected a list of corpus"),
    "no folder of a run": (lambda pipe, motion: train("smoke", [], None), "run: expected a path, got None"),  # type: ignore[arg-type]
    "fields for a recipe": (lambda pipe, motion: train({"name": "x"}, [], "run"), "recipe: expected a path, got dict"),  # type: ignore[arg-type]
    "true for a number of clips": (lambda pipe, motion: write_synthetic("x", True), "clips: expected a whole number"),
    "no number of seconds": (
        lambda pipe, motion: write_synthetic("x", 1, seconds=float("nan")),
        "synthetic corpus: expected seconds above 0, got float nan",
    ),
    "a picture of one pixel": (
        lambda pipe, motion: pipe.render(motion, "x.gif", np.zeros((1, 1, 3), np.uint8), quiet=True),
        "of 2 x 2 pixels or more, got uint8 .1, 1, 3",
    ),
    "a misspelled setting": (
        lambda pipe, motion: pipe.with_generator(velocity_scala=2),
        "expected no field 'velocity_scala', got 2; did you mean 'velocity_scale'",
    ),
    "a list for a rate": (generating(fps=[1]), "frame rate: expected"),
    "an empty text for audio": (lambda pipe, motion: pipe.generate(""), "audio: expected a path, got an empty text"),
    "an empty text for a pose": (generating(reference=""), "reference: expected a path, got an empty text"),
    "an empty text for a motion": (
        lambda pipe, motion: hm.Motion.load(""),
        "motion file: expected a path, got an empty",
    ),
    "an empty text for a snapshot": (
        lambda pipe, motion: pipe.restore(""),
        "snapshot: expected a path, got an empty text",
    ),
    "an empty text for a model": (lambda pipe, motion: hm.load(""), "model: expected a path, got an empty text"),
    "an empty text among jobs": (
        lambda pipe, motion: pipe.generate_many([""], "made"),
        "jobs: expected a path, got an empty text",
    ),
    "no audio": (lambda pipe, motion: pipe.generate(None), "audio: expected"),  # type: ignore[arg-type]
    "a number for a mouth": (lambda pipe, motion: pipe.reference(None, mouth="x"), "mouth 'auto'"),  # type: ignore[arg-type]
    "a closed mouth of a video": (
        lambda pipe, motion: pipe.reference(100 * pipe.representation.neutral().expand(2, -1, -1), mouth="closed"),
        "expected one pose, whose mouth can be closed, got 2 poses",
    ),
    "a rate of samples": (lambda pipe, motion: pipe.stream(None, "x"), "rate"),  # type: ignore[arg-type]
    "a look-ahead": (lambda pipe, motion: pipe.lookahead_ms(controls=5), "controls"),  # type: ignore[arg-type]
    "a number for motion": (rendering(5), "render: expected a Motion, or parts of one, got int 5"),
    "numbers for motion": (rendering([5]), "render: expected at least one part of a motion, got int 5"),
    "no path": (rendering(path=5), "render: expected a path, got int 5"),
    "a size": (rendering(size="big"), "size"),
    "a picture": (rendering(renderer="portrait", image=5), "picture"),
    "a number for a model": (lambda pipe, motion: hm.load(5), "model: expected a path, got int 5"),  # type: ignore[arg-type]
    "bytes for a model": (lambda pipe, motion: hm.load(b"x"), "model: expected a path"),  # type: ignore[arg-type]
    "no device": (lambda pipe, motion: hm.load(device=None), "expected a device's name"),  # type: ignore[arg-type]
    "a device without memory": (lambda pipe, motion: hm.load(device="meta"), "expected a device of this machine"),
    "a word for a step": (lambda pipe, motion: pipe.save("x.safetensors", step="x"), "step: .*whole"),  # type: ignore[arg-type]
    "a number for a card": (lambda pipe, motion: pipe.save("x.safetensors", card=5), "card"),  # type: ignore[arg-type]
    "a place for a checkpoint": (lambda pipe, motion: pipe.save(5), "checkpoint: expected a path"),  # type: ignore[arg-type]
    "a seed of weights": (lambda pipe, motion: hm.build({}, seed="x"), "seed: expected"),  # type: ignore[arg-type]
    "a snapshot": (lambda pipe, motion: pipe.stream().snapshot(5), "snapshot: expected a path"),  # type: ignore[arg-type]
    "a place of a snapshot": (lambda pipe, motion: pipe.restore(5), "snapshot: expected a path"),  # type: ignore[arg-type]
    "values": (lambda pipe, motion: hm.Motion("x", 25), "motion: expected floating-point values"),  # type: ignore[arg-type]
    "no values": (lambda pipe, motion: hm.Motion(None, 25), "motion: expected floating-point values"),  # type: ignore[arg-type]
    "a motion file": (lambda pipe, motion: hm.Motion.load(5), "motion file: expected a path"),  # type: ignore[arg-type]
    "a target": (lambda pipe, motion: motion.save(None), "motion file: expected a path, got None"),  # type: ignore[arg-type]
    "frames": (lambda pipe, motion: motion.resample(25, "x"), "frames: expected a whole"),  # type: ignore[arg-type]
    "fewer than no frames": (lambda pipe, motion: motion.resample(25, -1), "frames: expected a whole number"),
    "no motions": (lambda pipe, motion: hm.Motion.concatenate(5), "a list of motions"),  # type: ignore[arg-type]
    "others": (lambda pipe, motion: hm.Motion.concatenate([1]), "got int 1 in it"),  # type: ignore[list-item]
    "a frame": (lambda pipe, motion: motion[5], "a range of frames, such as"),  # type: ignore[index]
    "half a frame": (lambda pipe, motion: motion[0:1.5], "a range of frames, such as"),  # type: ignore[misc]
    "a number for jobs": (lambda pipe, motion: pipe.generate_many(5, "o"), "jobs: expected a list of paths"),  # type: ignore[arg-type]
    "numbers for jobs": (lambda pipe, motion: pipe.generate_many([5], "o"), "jobs: .* got int 5 in it"),  # type: ignore[list-item]
    "a number for a folder": (lambda pipe, motion: pipe.generate_many(["a.wav"], 5), "output: expected a path"),  # type: ignore[arg-type]
    "a number for a suffix": (lambda pipe, motion: pipe.generate_many(["a.wav"], "o", 5), "suffix: expected text"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", WRONG)
def test_an_argument_of_a_wrong_kind_is_one_line(
    what: str, pipe: hm.Pipeline, motion: hm.Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call, message = WRONG[what]
    with pytest.raises(hm.HeadmotionError, match=message):
        call(pipe, motion)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_numbers(pipe: hm.Pipeline, motion: hm.Motion) -> None:
    assert torch.equal(pipe.generate(SPEECH, seed=np.int64(0)).values, motion.values)  # type: ignore[arg-type]
    assert len(motion.resample(25, np.int32(4))) == 4 and len(motion[np.int8(1) :]) == len(motion) - 1  # type: ignore[arg-type, misc]
