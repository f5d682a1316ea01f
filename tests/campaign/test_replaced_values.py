"""Good JSON documents in which chance has replaced one value by another of any kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from judge import Judge
from test_malformed_models import packed, parts
from test_mutated_files import CASES, SEED

from benchmarks.stress.good_files import recipe

STRANGE: list[Any] = [
    *[None, True, 0, -1, 0.5, -0.5, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e-300, 1e300, float("nan"), float("inf")],
    *["", "0", "1/0", "1e999999999", "ms-sync", "absent/net", "é" * 1000, "\ud800", "\0", "../..", "!!python/name:os"],
    *[[], [[]], [0], ["a"], [None] * 50, {}, {"type": "ms-sync"}, {"type": {}}, {"": ""}, {"a": {"b": {"c": 1}}}],
]
LONG = {"steps"}  # a large number of these is no mistake


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder and key inside JSON values, the long lists of numbers less their middle."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, inner in items if len(items) < 9 or isinstance(value, dict) else [*items[:4], *items[-4:]]:
        if key not in LONG:
            yield value, key
            yield from places(inner)


def replaced(document: Any, chance: Random) -> Any:
    holder, key = chance.choice(list(places(document)))
    holder[key] = chance.choice(STRANGE)
    return document


def write_recipe(path: Path, good: Mapping[str, bytes], chance: Random) -> None:
    path.write_text(json.dumps(replaced(recipe(), chance)))


def write_motion(path: Path, good: Mapping[str, bytes], chance: Random) -> None:
    path.write_text(json.dumps(replaced(json.loads(good["motion.json"]), chance)))


def write_header(path: Path, good: Mapping[str, bytes], chance: Random) -> None:
    header, data = parts(good["model.safetensors"])
    path.write_bytes(packed(replaced(header, chance), data))


def write_model(path: Path, good: Mapping[str, bytes], chance: Random) -> None:
    header, data = parts(good["model.safetensors"])
    stored = replaced(json.loads(header["__metadata__"]["headmotion"]), chance)
    header["__metadata__"]["headmotion"] = json.dumps(stored)
    path.write_bytes(packed(header, data))


DOCUMENTS: dict[str, tuple[Callable[[Path, Mapping[str, bytes], Random], None], str]] = {
    "recipe.yaml": (write_recipe, "train {} --data corpus -o made -q"),
    "motion.json": (write_motion, "inspect {}"),
    "header.safetensors": (write_header, "animate speech.wav --model {} -o made/talk.mp4 -q"),
    "model.safetensors": (write_model, "animate speech.wav --model {} -o made/talk.mp4 -q"),
}


@pytest.mark.parametrize("number", [f"{SEED}.{k}" for k in range(15 * CASES)])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_strange_value_is_read_or_refused(
    name: str, number: str, good: Mapping[str, bytes], good_corpus: Path, workdir: Path, judge: Judge
) -> None:
    write, command = DOCUMENTS[name]
    (workdir / "speech.wav").write_bytes(good["speech.wav"])
    shutil.copytree(good_corpus, workdir / "corpus")
    write(workdir / name, good, Random(f"{name} {number}"))
    trained = workdir / "made" if name == "recipe.yaml" else None  # the first phase of a run stays if the second fails
    outcome = judge(*command.format(name).split(), changes=trained, partial=True)
    assert trained is None or (trained / "model.safetensors").exists() == (outcome.status == 0)
    if name.endswith(".safetensors"):
        judge("inspect", name)
