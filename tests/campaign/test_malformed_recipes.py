"""Recipes made wrong by hand, odd ones that are right, and overrides."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from judge import Judge

from benchmarks.stress.good_files import recipe

Write = Callable[[Path], object]


TRAIN = ["train", "--data", "corpus", "-o", "made", "-q"]


@pytest.fixture(autouse=True)
def corpus(workdir: Path, good_corpus: Path) -> None:
    shutil.copytree(good_corpus, workdir / "corpus")


def text(content: str) -> Write:
    return lambda path: path.write_text(content)


def changed(where: str, value: Any) -> Write:
    """The good recipe with one value replaced."""

    def write(path: Path) -> None:
        data = recipe()
        place: Any = data
        *parents, key = where.split(".")
        for name in parents:
            place = place[name]
        place[key] = value
        path.write_text(json.dumps(data))

    return write


def laughs(depth: int = 40, merged: bool = False) -> str:
    """Ten times ten times ten ... of one thing, in a page of text."""
    item = "{{<<: [{0}]}}" if merged else "[{0}]"
    lines = ["a0: &a0 {lol: 1}"]
    for k in range(1, depth):
        lines.append(f"a{k}: &a{k} " + item.format(", ".join([f"*a{k - 1}"] * 10)))
    return "\n".join(lines)


BAD: dict[str, Write] = {
    "empty.yaml": text(""),
    "only a comment.yaml": text("# nothing\n"),
    "null.yaml": text("null\n"),
    "a word.yaml": text("smoke\n"),
    "a list.yaml": text("- name: mine\n"),
    "a number.yaml": text("1e3\n"),
    "not UTF-8.yaml": lambda path: path.write_bytes(b"name: \xff\xfe\xfa\n"),
    "zeros.yaml": lambda path: path.write_bytes(bytes(500)),
    "UTF-16 without a mark.yaml": lambda path: path.write_bytes("name: mine".encode("utf-16-le")),
    "tabs.yaml": text("name:\n\t- mine\n"),
    "two documents.yaml": text("name: mine\n---\nname: yours\n"),
    "open quote.yaml": text('name: "mine\n'),
    "open brackets.yaml": text("name: " + "[" * 20_000),
    "deep.yaml": text("name: " + "[" * 3000 + "]" * 3000),
    "deep mappings.yaml": text("".join(f"{' ' * k}k{k}:\n" for k in range(900))),
    "python.yaml": text("name: !!python/object/apply:os.mkdir [made]\n"),
    "python name.yaml": text("!!python/name:os.system\n"),
    "unknown tag.yaml": text("name: !mine x\n"),
    "no such date.yaml": text("name: 2001-99-99\n"),
    "no date at all.yaml": text("name: !!timestamp never\n"),
    "no number.yaml": text("seed: !!int many\n"),
    "no float.yaml": text("seed: !!float many\n"),
    "half a number.yaml": text("seed: 0x\n"),
    "a number of 10^4 digits.yaml": text("seed: " + "9" * 10_000),
    "key of a list.yaml": text("? [a, b]\n: c\n"),
    "unknown anchor.yaml": text("name: *mine\n"),
    "itself.yaml": text("&a [*a]\n"),
    "itself inside.yaml": text("name: mine\npipeline: &a {generator: *a}\n"),
    "itself merged.yaml": text("&a\nname: mine\n<<: *a\n"),
    "a billion laughs.yaml": text(laughs()),
    "a billion laughs as a name.yaml": text(laughs() + "\nname: *a39"),
    "a billion laughs as a part.yaml": text(laughs().replace("a39:", "pipeline:")),
    "a billion laughs as losses.yaml": text(
        "\n".join(f"k{k}: {line.partition(': ')[2]}" for k, line in enumerate(laughs().splitlines()))
        + "\nphases: {generator: {type: adversarial, losses: *a39}}\nname: mine"
    ),
    "a billion laughs merged.yaml": text(laughs(merged=True)),
    "a merged number.yaml": text("<<: 5\n"),
    "no name.yaml": text("seed: 1\n"),
    "unknown key.yaml": text("name: mine\nlearning_rate: 1\n"),
    "keys that are numbers.yaml": text("name: mine\n1: 2\n"),
    "keys that are null.yaml": text("name: mine\nnull: 2\n"),
    "the name a list.yaml": text("name: [mine]\n"),
    "the name a number.yaml": text("name: 5\n"),
    "a pipeline of words.yaml": text("name: mine\npipeline: skeleton\n"),
    "a generator of numbers.yaml": text("name: mine\npipeline: {generator: 5}\n"),
    "a generator without a type.yaml": text("name: mine\npipeline: {generator: {levels: 2}}\n"),
    "a generator of lists.yaml": text("name: mine\npipeline: {generator: {type: [ms-sync]}}\n"),
    "unknown generator.yaml": text("name: mine\npipeline: {generator: ms-sink}\n"),
    "generator of a plugin.yaml": text("name: mine\npipeline: {generator: absent/net}\n"),
    "unknown preset.yaml": text("name: mine\npipeline: {generator: {type: ms-sync, preset: huge}}\n"),
    "a preset of lists.yaml": text("name: mine\npipeline: {generator: {type: ms-sync, preset: [small]}}\n"),
    "loss as a word.yaml": text("name: mine\nphases: {generator: {type: adversarial, losses: sync}}\n"),
    "unknown loss.yaml": text("name: mine\nphases: {generator: {type: adversarial, losses: [sink]}}\n"),
    "key twice.yaml": text("name: mine\nseed: 1\nseed: 3\n"),
    "a phase twice.yaml": text("name: mine\nphases: {fit: fit, fit: fit}\n"),
    "no phases.yaml": text("name: mine\nphases: {}\n"),
    "a list of phases.yaml": text("name: mine\nphases: [fit]\n"),
    "a phase with a path as its name.yaml": text("name: mine\nphases: {../fit: fit}\n"),
    "sections of old.yaml": text("name: mine\nsyncers: {steps: 3}\n"),
    "steps below 0.yaml": changed("phases.syncers.steps", -1),
    "steps by half.yaml": changed("phases.syncers.steps", 1.5),
    "NaN.yaml": changed("phases.syncers.temperature", float("nan")),
    "infinite rate.yaml": changed("phases.syncers.optimizer.lr", float("inf")),
    "rate 0 fps.yaml": changed("pipeline.fps", 0),
    "rate 1e999999999 fps.yaml": changed("pipeline.fps", "1e999999999"),
    "24 fps.yaml": changed("pipeline.fps", 24),
    "12.5 fps.yaml": changed("pipeline.fps", 12.5),
    "seed below 0.yaml": changed("seed", -1),
    "seed 2^200.yaml": changed("seed", 2**200),
    "batch of 10^15.yaml": changed("data.batch_size", 10**15),
    "levels 60.yaml": changed("phases.syncers.pyramid.levels", 60),
    "kernel 0.yaml": changed("phases.syncers.pyramid.kernel", 0),
    "more frames than there are.yaml": changed("phases.syncers.frames", 10**6),
    "10^30 frames.yaml": changed("phases.syncers.frames", 10**30),
    "more frames for the generator.yaml": changed("phases.generator.frames", 10**6),
    "network of 10^12.yaml": changed("pipeline.generator.hidden_size", 10**12),
    "network of 10^30.yaml": changed("pipeline.generator.hidden_size", 10**30),
    "syncer of 10^12.yaml": changed("phases.syncers.syncer.embedding_size", 10**12),
    "discriminator of 10^12.yaml": changed("phases.generator.discriminator.hidden_size", 10**12),
    "window of 10^9.yaml": changed("pipeline.audio_encoder.window", 10**9),
    "10^6 mels.yaml": changed("pipeline.audio_encoder.n_mels", 10**6),
    "no mels.yaml": changed("pipeline.audio_encoder.n_mels", 0),
    "10^12 context frames.yaml": changed("pipeline.generator.context_frames", 10**12),
    "10^9 steps per frame.yaml": changed("pipeline.steps_per_frame", 10**9),
    "three dimensions.yaml": changed("pipeline.representation", {"type": "landmarks68", "dims": 4}),
    "joints.yaml": changed("pipeline.representation", "joints"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_no_recipe(name: str, workdir: Path, judge: Judge) -> None:
    BAD[name](workdir / name)
    judge.refused(*TRAIN, name)


ODD: dict[str, Write] = {
    "with a mark.yaml": lambda path: path.write_bytes(b"\xef\xbb\xbf" + json.dumps(recipe()).encode()),
    "as JSON.json": lambda path: path.write_text(json.dumps(recipe())),
    "anchors.yaml": lambda path: path.write_text(
        json.dumps(recipe()).replace('"optimizer": {', '"optimizer": &adam {', 1)
    ),
    "no suffix": lambda path: path.write_text(json.dumps(recipe())),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_recipe(name: str, workdir: Path, judge: Judge) -> None:
    ODD[name](workdir / name)
    judge.accepted(*TRAIN, name)
    assert (workdir / "made" / "model.safetensors").stat().st_size


OVERRIDES = [
    *["", "=", "=1", "seed", "seed=", "seed=many", "seed=-1", "seed=[", "seed=!!int x", "seed=2001-99-99", "seed=*a"],
    *["seed=" + "9" * 10_000, "seed=" + "[" * 20_000, "a.b.c=1", "seed.x=1", ".seed=1", "seed.=1", "name=[mine]"],
    *["pipeline=null", "pipeline=5", "pipeline.generator=x", "phases.generator.losses=[{}]"],
    *["phases.generator.losses.0.type=sync", "phases.gen.steps=1", "phases=null"],
    *["pipeline.fps=1/0", "pipeline.fps=1e999999999", "phases.syncers={}", "data.batch_size=1", "data.batch_size=1e9"],
]


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: override[:24])
def test_overrides(override: str, workdir: Path, judge: Judge) -> None:
    (workdir / "recipe.yaml").write_text(json.dumps(recipe() | {"save_every": -1}))
    judge.refused(*TRAIN, "recipe.yaml", "--set", override)
