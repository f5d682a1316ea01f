"""Good files of every format, damaged by chance.

``HEADMOTION_CAMPAIGN_CASES`` sets how many cases each format and mutation gets, ``HEADMOTION_CAMPAIGN_SEED`` which.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from judge import Judge

from benchmarks.stress.byte_mutations import MUTATIONS

CASES = int(os.environ.get("HEADMOTION_CAMPAIGN_CASES", "1"))
SEED = int(os.environ.get("HEADMOTION_CAMPAIGN_SEED", "0"))

COMMANDS = {
    "speech": "animate {} --model model.safetensors -o made/talk.mp4 -q",
    "face": "animate speech.wav --model model.safetensors --image {} --landmarks pose.npz -o made/talk.mp4 -q",
    "pose": "animate speech.wav --model model.safetensors --landmarks {} -o made/talk.mp4 -q",
    "motion": "inspect {}",
    "recipe": "train {} --data corpus -o made -q",
    "model": "animate speech.wav --model {} -o made/talk.mp4 -q",
}
FORMATS = [
    *["speech.wav", "speech.flac", "speech.ogg", "speech.mp3", "speech.m4a", "speech.mp4", "speech.webm"],
    *["face.png", "face.jpg", "face.webp", "face.tiff", "face.gif"],
    *["pose.npz", "motion.npz", "motion.json", "recipe.yaml", "model.safetensors"],
]


@pytest.mark.parametrize("number", [f"{SEED}.{k}" for k in range(CASES)])
@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_read_or_refused(
    name: str, mutation: str, number: str, good: Mapping[str, bytes], good_corpus: Path, workdir: Path, judge: Judge
) -> None:
    chance = Random(f"{name} {mutation} {number}")
    for needed in ("speech.wav", "pose.npz", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    if name == "recipe.yaml":
        shutil.copytree(good_corpus, workdir / "corpus")
    (workdir / name).write_bytes(MUTATIONS[mutation](good[name], chance))
    kind = name.partition(".")[0]
    judge(*COMMANDS[kind].format(name).split())
    if kind == "model":
        judge("inspect", name)
