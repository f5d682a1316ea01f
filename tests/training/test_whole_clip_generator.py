"""A plugin's generator that sees the whole clip and has an objective of its own: trained, saved, loaded, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from flow_specs import FlowSpec

import headmotion as hm
from headmotion.testing import check_component, installed_plugin
from headmotion.training.recipe import RecipeSpec
from headmotion.training.trainer import train


@pytest.fixture(autouse=True, scope="module")
def plugin() -> Iterator[None]:
    with installed_plugin("flow", "flow_specs"):
        yield


@pytest.fixture(scope="module")
def run(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = RecipeSpec.model_validate(
        {
            "name": "flow",
            "pipeline": {"generator": "flow/clip"},
            "data": {"batch_size": 8},
            "phases": {
                "generator": {"type": "supervised", "distance": "none", "steps": 120, "optimizer": {"lr": 2e-3}},
            },
            "preview_every": 0,
        }
    )
    folder = tmp_path_factory.mktemp("runs") / "flow"
    train(recipe, [small_corpus], folder, device="cpu", quiet=True)
    return folder


def test_the_kit_finds_nothing() -> None:
    check_component(FlowSpec())


def test_its_own_objective_falls(run: Path) -> None:
    values = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    flow = [line["flow"] for line in values if "flow" in line]
    assert len(flow) == 120
    assert np.mean(flow[-20:]) < 0.6 * np.mean(flow[:5])


def test_the_model_needs_the_whole_clip_and_streams_it_at_the_end(run: Path) -> None:
    pipe = hm.load(run / "model.safetensors", device="cpu")
    speech = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    motion = pipe.generate((speech, 16_000), seed=3)
    assert pipe.lookahead_ms() is None and motion.values.shape == (25, 68, 2)
    assert not torch.equal(motion.values, pipe.generate((speech, 16_000), seed=4).values)
    session = pipe.stream(sample_rate=16_000, seed=3)
    parts = [session.push(block) for block in np.array_split(speech, 7)]
    assert not any(len(part) for part in parts)
    torch.testing.assert_close(session.flush().values, motion.values, rtol=0, atol=1e-5)
