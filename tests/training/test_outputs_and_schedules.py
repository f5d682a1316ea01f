"""Renderers that return more than pictures, for losses to read, and parts that depend on how far their training is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attention_parts
import pytest
import torch
from drawn_corpus import write_drawn
from killed import killed_at
from safetensors.torch import load_file

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.testing import installed_plugin, run_checks
from headmotion.training import train
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.build import Training, build_training
from headmotion.training.recipe import RecipeSpec
from headmotion.training.supervised_phase import SupervisedPhase
from headmotion.training.take_step import take_step

GENERATOR = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 16, "branch_size": 16}
DRAWN = {"type": "supervised", "distance": "none"}
AGAINST = {"type": "adversarial", "objective": "bce", "discriminator": "gaze/shown"}


@pytest.fixture(autouse=True, scope="module")
def plugin() -> Iterator[None]:
    with installed_plugin("gaze", "attention_parts"):
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn(tmp_path_factory.mktemp("data") / "drawn", clips=4, frames=12)


def recipe(phase: dict[str, Any], **changes: Any) -> RecipeSpec:
    phases = {"drawn": {"trains": "renderer", "steps": 4, "frames": 3, "losses": ["gaze/dynamic-pixels"]} | phase}
    fields = {"name": "gaze", "pipeline": {"renderer": "gaze/attentive", "generator": GENERATOR}, "phases": phases}
    return RecipeSpec.model_validate(
        fields | {"data": {"batch_size": 4}, "save_every": 1, "preview_every": 0} | changes
    )


def built(spec: RecipeSpec, corpus: Path) -> Training:
    training = build_training(spec, [corpus])
    training.phases[0].start()
    return training


@pytest.mark.parametrize("phase", [DRAWN, AGAINST])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_loss_reads_what_a_renderer_returns_besides_pictures(
    phase: dict[str, Any], accumulation: int, corpus: Path
) -> None:
    (trained,) = built(recipe(phase, grad_accumulation=accumulation), corpus).phases
    assert take_step(trained, 0)["dynamic_pixels"] > 0


def test_discriminators_are_updated_by_outputs_without_gradients(corpus: Path) -> None:
    (phase,) = built(recipe(AGAINST), corpus).phases
    seen: list[bool] = []
    scores = phase.discriminator.forward  # type: ignore[attr-defined]

    def watched(sample: hm.Sample) -> Any:
        if sample.outputs:
            seen.append(any(value.requires_grad for value in [*sample.outputs.values(), sample.frames]))
        return scores(sample)

    phase.discriminator.forward = watched  # type: ignore[attr-defined]
    take_step(phase, 0)
    assert seen == [False, True], "first its own update, then the renderer's"


def test_an_output_that_is_not_there_is_one_line(corpus: Path) -> None:
    loss = {"type": "gaze/dynamic-pixels", "map": "flow"}
    (phase,) = built(recipe(DRAWN | {"losses": [loss]}), corpus).phases
    with pytest.raises(hm.OutputError, match=r"expected 'flow', which a loss .* got only 'attention', 'colors'"):
        take_step(phase, 0)


def test_a_mapping_without_pictures_names_the_renderer(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention_parts.Attentive, "pictures", lambda self, *inputs: {"attention": inputs[0]})
    (phase,) = built(recipe(DRAWN), corpus).phases
    with pytest.raises(hm.OutputError, match="renderer gaze/attentive: expected pictures to return pictures as 'fra"):
        take_step(phase, 0)


def test_the_kit_reads_mappings_and_gives_losses_maps_to_read() -> None:
    parts = {"renderer": attention_parts.AttentiveSpec(), "loss": attention_parts.DynamicPixelsSpec()}
    for kind, spec in parts.items():
        failed = {each.name for each in run_checks(kind, spec) if each.status == "failed"}
        # In a package the specs have a module of their own, and their fields have docstrings.
        assert failed <= {"spec-imports-without-torch", "spec-is-documented"}


@pytest.mark.parametrize("phase", [DRAWN, AGAINST])
def test_a_schedule_follows_the_steps_and_its_last_value_is_in_the_model(
    phase: dict[str, Any], corpus: Path, tmp_path: Path
) -> None:
    training = built(recipe(phase | {"ema_decay": 0.5}), corpus)
    (trained,) = training.phases
    rates = []
    for number in range(4):
        take_step(trained, number)
        rates.append(round(float(training.pipeline.renderer.veil.rate), 6))  # type: ignore[arg-type,union-attr]
    assert rates == [0.8, 0.6, 0.4, 0.2]
    assert trained.losses[0].progress == [(number, 4) for number in range(4)]  # type: ignore[attr-defined]
    model = train(recipe(phase | {"ema_decay": 0.5}), [corpus], tmp_path / "run", device="cpu", quiet=True)
    assert float(hm.load(model, device="cpu").renderer.veil.rate) == pytest.approx(0.2)  # type: ignore[arg-type,union-attr]


def test_a_killed_run_with_a_schedule_resumes_to_the_same_bits(corpus: Path, tmp_path: Path) -> None:
    whole = train(recipe(DRAWN), [corpus], tmp_path / "whole", device="cpu", quiet=True)
    with killed_at(2, SupervisedPhase):
        train(recipe(DRAWN), [corpus], tmp_path / "run", device="cpu", quiet=True)
    model = train(recipe(DRAWN), [corpus], tmp_path / "run", device="cpu", quiet=True, resume=True)
    assert read_header(model).sha256 == read_header(whole).sha256
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(log) == 4


def test_the_kit_finds_progress_that_counts_calls() -> None:
    class Counting(attention_parts.Veil):
        def set_progress(self, step: int, steps: int) -> None:
            self.rate.mul_(0.9)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attention_parts, "Veil", Counting)
        results = {each.name: each for each in run_checks("renderer", attention_parts.AttentiveSpec())}
    assert results["progress-is-in-the-checkpoint"].status == "failed"
    assert "without the earlier steps" in results["progress-is-in-the-checkpoint"].detail


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, {"d_picture", "d_brightness", "g_picture", "g_brightness"}),
        ({"prediction_weight": 0.0}, {"d_picture", "d_brightness", "g_picture"}),
        ({"adversarial_weight": 0.0, "prediction_weight": 2.0}, {"d_brightness", "g_brightness"}),
        ({"adversarial_weight": 0.0}, set()),
    ],
)
def test_scores_and_predictions_have_weights_of_their_own(
    weights: dict[str, float], expected: set[str], corpus: Path
) -> None:
    (phase,) = built(recipe(AGAINST | weights), corpus).phases
    values = take_step(phase, 0)
    assert {name for name in values if name[:2] in ("d_", "g_")} - {"d_gradient"} == expected
    if weights.get("prediction_weight"):
        (doubled,) = built(recipe(AGAINST | {"adversarial_weight": 0.0, "prediction_weight": 4.0}), corpus).phases
        assert take_step(doubled, 0)["g_brightness"] == pytest.approx(2 * values["g_brightness"])


def test_a_prediction_whose_error_is_small_has_not_won(corpus: Path) -> None:
    (phase,) = built(recipe(AGAINST), corpus).phases
    take_step(phase, 0)
    assert isinstance(phase, AdversarialPhase)
    small = {"d_picture": 1.4, "g_picture": 0.7, "d_brightness": 1e-4, "g_brightness": 1e-4}
    assert not list(phase.problems(small))
    assert [each.title for each in phase.problems(small | {"d_picture": 1e-4})] == ["the picture discriminator has won"]


def test_a_renderer_keeps_a_frozen_copy_of_what_an_earlier_phase_trained(corpus: Path, tmp_path: Path) -> None:
    look = {"type": "supervised", "trains": "look", "part": "gaze/look", "steps": 3, "frames": 3, "batch_size": 4}
    drawn = DRAWN | {"trains": "renderer", "steps": 2, "frames": 3, "losses": ["gaze/dynamic-pixels"]}
    spec = recipe(DRAWN, pipeline={"renderer": "gaze/guided", "generator": GENERATOR})
    spec = RecipeSpec.model_validate(spec.model_dump(mode="json") | {"phases": {"look": look, "drawn": drawn}})
    model = train(spec, [corpus], tmp_path / "run", device="cpu", quiet=True)
    trained = load_file(tmp_path / "run" / "finished" / "look.safetensors")
    color = hm.load(model, device="cpu").renderer.look.color  # type: ignore[union-attr]
    assert torch.equal(color.weight, trained["module/look/color.weight"])  # type: ignore[union-attr,arg-type]
    fresh = hm.build(spec.pipeline, spec.seed, "cpu").renderer.look.color  # type: ignore[union-attr]
    assert not torch.equal(color.weight, fresh.weight), "trained"  # type: ignore[union-attr,arg-type]
    assert not any("look" in name for name, _ in hm.load(model, device="cpu").renderer.named_parameters())
