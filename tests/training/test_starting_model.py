"""Training that starts from a model: its weights, what does not fit, resuming, and what the new model says of it."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from killed import killed_at
from torch import nn

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.checkpoint import load_checkpoint, read_header, save_checkpoint
from headmotion.core.errors import CheckpointError, CorpusError, TrainingError
from headmotion.data.corpus import open_corpus, write_corpus
from headmotion.metrics import syncer_model
from headmotion.testing.installed_plugin import installed_plugin
from headmotion.training import train
from headmotion.training.batch_norm import keep_statistics
from headmotion.training.build import build_training
from headmotion.training.distributed import Processes
from headmotion.training.dry_run import dry_run
from headmotion.training.lineage import lineage_of
from headmotion.training.recipe import RecipeSpec, load_recipe
from headmotion.training.starting_model import start_from
from headmotion.training.supervised_phase import SupervisedPhase

TINY = {"type": "causal-flow", "width": 16, "blocks": 1, "flow_width": 16, "flow_blocks": 1, "codes": 4}
PHASE = {"type": "supervised", "distance": "none", "steps": 3, "frames": 20, "ema_decay": 0.5}
SMOKE = load_recipe("smoke").pipeline.generator.model_dump()
FACTS: dict[str, Any] = {"device": "cpu", "quiet": True}


def recipe(generator: Mapping[str, Any] = TINY, **fields: Any) -> RecipeSpec:
    data = {"name": "tiny", "pipeline": {"generator": generator}, "data": {"batch_size": 4}, "preview_every": 0}
    return RecipeSpec.model_validate(data | {"phases": {"generator": PHASE}} | fields)


@pytest.fixture(scope="module")
def base(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three steps."""
    return train(recipe(name="base"), [small_corpus], tmp_path_factory.mktemp("runs") / "base", **FACTS)


def warnings(run: Path) -> list[str]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    return [line["warning"] for line in lines if "warning" in line]


def test_the_first_step_begins_with_the_weights_of_the_model(base: Path, small_corpus: Path) -> None:
    training = build_training(recipe(seed=7), [small_corpus], start=base)
    expected = hm.load(base, device="cpu").state_dict()
    torch.testing.assert_close(training.pipeline.state_dict(), expected, rtol=0, atol=0)
    phase = training.phase("generator")
    phase.start()
    for module in (phase.modules["generator"], phase.modules["averaged"]):
        stored = {f"generator.{name}": value for name, value in module.state_dict().items()}
        torch.testing.assert_close(stored, expected, rtol=0, atol=0)
    assert training.start is not None and training.start.parts == ("generator",) and not training.start.notes
    assert training.start.sha256 == read_header(base).sha256


def test_what_is_no_model_is_one_error(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a recipe")
    (tmp_path / "cut.safetensors").write_bytes(base.read_bytes()[:100])
    cases = {
        "": "model: expected a path, got an empty text$",
        str(base.parent): f"got the folder {base.parent}; give {base}$",
        str(tmp_path / "text.txt"): "expected a .safetensors file, got .*text.txt, which is none$",
        str(tmp_path / "cut.safetensors"): "expected a whole .safetensors file",
        str(
            syncer_model.BUNDLED["metric-syncers"]
        ): "a trained pipeline, got .*, another checkpoint; give the model.safetensors of a",
        str(tmp_path / "absent.safetensors"): "expected a readable file, got .*No such file",
    }
    for start, message in cases.items():
        with pytest.raises(CheckpointError, match=message):
            train(recipe(), [small_corpus], tmp_path / "run", **FACTS, start=start)
    assert not (tmp_path / "run").exists()
    with pytest.raises(CheckpointError, match="a trained pipeline, got"):
        hm.load(syncer_model.BUNDLED["metric-syncers"])


def test_weights_are_trained_and_statistics_are_kept(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    model = train(recipe(), [small_corpus], tmp_path / "run", **FACTS, start=base)
    (_, before), (_, after) = load_checkpoint(base), load_checkpoint(model)
    kept = [name for name in before if torch.equal(before[name], after[name])]
    statistics = [name for name in before if name.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    assert len(statistics) == 6 and set(statistics) <= set(kept)
    assert len(before) - len(kept) > 20 and not warnings(tmp_path / "run")


def test_norms_that_keep_their_statistics_do_so_in_copies_too() -> None:
    part = nn.Sequential(nn.BatchNorm1d(3), nn.InstanceNorm1d(3))
    keep_statistics(part)
    for module in (part.train(), copy.deepcopy(part).train()):
        module(5 + torch.randn(8, 3, 5))
        assert module.training and not module[0].training and module[1].training
        assert not module[0].running_mean.any() and int(module[0].num_batches_tracked) == 0


@pytest.mark.parametrize(
    ("generator", "pipeline", "complaint"),
    [
        (TINY | {"width": 24}, {}, r"weight to be \[24, .*recipe's causal-flow, got \[16, .*generator\.width=16, or"),
        (TINY | {"blocks": 2}, {}, r"trunk\.blocks\.1\..* to be \[.*, got none, and .* more.*generator\.blocks=1, or"),
        (
            TINY,
            {"audio_encoder": "mfcc"},
            r"audio_encoder\.type of the recipe, mfcc, got log-mel; .*\.type=log-mel, or",
        ),
        (
            SMOKE,
            {},
            r"generator\.type of the recipe, ms-sync, got causal-flow; .*--set pipeline\.generator\.type=causal",
        ),
    ],
)
def test_weights_that_do_not_fit_are_one_error_that_says_how_to_make_them_fit(
    generator: Mapping[str, Any],
    pipeline: dict[str, Any],
    complaint: str,
    base: Path,
    small_corpus: Path,
    tmp_path: Path,
) -> None:
    spec = recipe(pipeline={"generator": generator, **pipeline})
    with pytest.raises(TrainingError, match=complaint) as caught:
        train(spec, [small_corpus], tmp_path / "run", **FACTS, start=base)
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()
    assert f"headmotion inspect {base}" in str(caught.value)


def test_many_differences_lead_to_the_recipe_in_the_card(base: Path, small_corpus: Path) -> None:
    other = {"width": 8, "blocks": 2, "flow_width": 8, "flow_blocks": 2, "codes": 3, "kernel": 5}
    with pytest.raises(TrainingError, match=r"; take the spec that `headmotion inspect .*` shows as"):
        build_training(recipe(TINY | other), [small_corpus], start=base)


def test_settings_that_fit_and_differ_are_a_warning(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    train(recipe(TINY | {"lookahead_frames": 0}), [small_corpus], tmp_path / "run", **FACTS, start=base)
    (text,) = warnings(tmp_path / "run")
    assert text == "the recipe is not that of base: pipeline.generator.lookahead_frames is 0 (3 in the model)"


BUNDLED = [("causal-flow", "causal-flow"), ("ms-sync", "small-cpu"), ("blendshapes", "blendshapes-cpu")]


@pytest.mark.parametrize(("model", "name"), BUNDLED)
def test_a_bundled_recipe_fits_the_bundled_model(model: str, name: str) -> None:
    pipeline = hm.build(load_recipe(name).pipeline, device="cpu")
    start = start_from(model, pipeline, Processes())
    assert start.parts == ("generator",) and start.name == model and not start.notes
    assert start.lineage[0]["license"] == "Apache-2.0" and start.lineage[0]["distribute"]
    torch.testing.assert_close(pipeline.state_dict(), hm.load(model, device="cpu").state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("at", [0, 2])
def test_a_killed_run_resumes_to_the_same_parameters(at: int, base: Path, small_corpus: Path, tmp_path: Path) -> None:
    spec = recipe(TINY | {"lookahead_frames": 1}, save_every=1)
    whole = train(spec, [small_corpus], tmp_path / "whole", **FACTS, start=base)
    with killed_at(at, SupervisedPhase):
        train(spec, [small_corpus], tmp_path / "run", **FACTS, start=base)
    model = train(spec, [small_corpus], tmp_path / "run", **FACTS, start=base, resume=True)
    assert read_header(model).sha256 == read_header(whole).sha256
    assert (tmp_path / "run" / "log.jsonl").read_text() == (tmp_path / "whole" / "log.jsonl").read_text()


def test_a_run_is_resumed_with_the_model_that_it_began_with(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    other = train(recipe(), [small_corpus], tmp_path / "run", **FACTS, start=base)
    moved = shutil.copy(base, tmp_path / "moved.safetensors")
    assert train(recipe(), [small_corpus], tmp_path / "run", **FACTS, start=moved, resume=True)
    began = r"expected the model that the run began with, base \(sha256 [0-9a-f]{16}\.\.\.\), got "
    for start, got in ((None, "none"), (other, r"tiny \(sha256 .*")):
        with pytest.raises(TrainingError, match=f"{began}{got}; give it with --from, or use a new folder") as caught:
            train(recipe(), [small_corpus], tmp_path / "run", **FACTS, start=start, resume=True)
        assert "\n" not in str(caught.value)
    with pytest.raises(TrainingError, match=r"began with, none, got base .*; give no --from"):
        train(recipe(name="base"), [small_corpus], base.parent, **FACTS, start=base, resume=True)


def test_the_card_names_all_models_that_it_was_made_from(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    clips = [replace(clip, distribute=False, license="mine") for clip in open_corpus(small_corpus)]
    write_corpus(private, clips)
    first = train(recipe(name="first"), [private], tmp_path / "first", **FACTS, start=base)
    second = train(recipe(name="second"), [small_corpus], tmp_path / "second", **FACTS, start=first)
    cards = [read_header(path).card for path in (base, first, second)]
    assert [card["distribute"] for card in cards] == [True, False, False]
    assert [card["licenses"] for card in cards] == [["CC BY 4.0"], ["mine"], ["CC BY 4.0"]]
    assert "from" not in cards[0] and [entry["name"] for entry in cards[2]["from"]] == ["first", "base"]
    nearest = cards[2]["from"][0]
    assert nearest["sha256"] == read_header(first).sha256 and nearest["licenses"] == ["mine"] and nearest["step"] == 3
    assert cards[2]["from"][1:] == cards[1]["from"] and not nearest["distribute"]
    shown = CliRunner().invoke(cli, ["inspect", str(second)]).output
    assert [entry["name"] for entry in json.loads(shown)["card"]["from"]] == ["first", "base"]


def test_cards_without_a_word_on_giving_away_count_as_forbidding_it(base: Path, tmp_path: Path) -> None:
    header, tensors = load_checkpoint(base)
    cards: list[dict[str, Any]] = [{}, {"recipe": {"data": {"distributable_only": True}}}, {"recipe": 3, "from": 4}]
    paths = [tmp_path / f"{number}.safetensors" for number in range(3)]
    entries = [
        lineage_of(path, path, read_header(save_checkpoint(path, header.spec, tensors, card=card)))
        for path, card in zip(paths, cards, strict=True)
    ]
    assert [(entry["name"], entry["distribute"]) for (entry,) in entries] == [("0", False), ("1", True), ("2", False)]


ONE_STEP = ["phases.syncers.steps=1", "phases.generator.steps=1", "preview_every=0"]


def test_parts_that_the_model_does_not_have_begin_anew_with_a_warning(small_corpus: Path, tmp_path: Path) -> None:
    smoke = load_recipe("smoke", ONE_STEP)
    model = train(smoke, [small_corpus], tmp_path / "base", **FACTS)
    train(smoke, [small_corpus], tmp_path / "run", **FACTS, start=model)
    begins = "begins with new weights, which smoke does not have:"
    assert warnings(tmp_path / "run") == [f"{begins} syncers", f"{begins} discriminator ms-sync"]
    given = tmp_path / "base" / "syncers.safetensors"
    train(smoke, [small_corpus], tmp_path / "given", **FACTS, start=model, syncers=given)
    assert warnings(tmp_path / "given") == [f"{begins} discriminator ms-sync"]


def test_a_dry_run_says_what_it_starts_from(base: Path, small_corpus: Path) -> None:
    measured = dry_run(recipe(TINY | {"lookahead_frames": 0}), [small_corpus], "cpu", start=base)
    lines = str(measured).splitlines()
    assert f"# starts from base (sha256 {read_header(base).sha256[:16]}...): generator" in lines
    assert [line for line in lines if "warning" in line and "lookahead_frames is 0" in line]
    assert "starts from" not in str(dry_run(recipe(), [small_corpus], "cpu"))


def test_the_command_takes_a_bundled_name_or_a_file(base: Path, small_corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(recipe().model_dump_json(), "utf-8")
    arguments = ["train", str(file), "--data", str(small_corpus), "--device", "cpu", "-q", "-o", str(tmp_path / "run")]
    result = CliRunner().invoke(cli, [*arguments, "--from", str(base)])
    assert result.exit_code == 0, result.output
    assert read_header(tmp_path / "run" / "model.safetensors").card["from"][0]["name"] == "base"
    with pytest.raises(hm.CheckpointError, match=r"one of the bundled models .*causal-flow"):
        train(recipe(), [small_corpus], tmp_path / "other", **FACTS, start="casual-flow")


def test_a_corpus_without_a_clip_to_train_on_is_one_error_with_a_remedy(small_corpus: Path, tmp_path: Path) -> None:
    clips = list(open_corpus(small_corpus))
    private = write_corpus(tmp_path / "private", [replace(clip, distribute=False) for clip in clips])
    unused = write_corpus(tmp_path / "unused", [replace(clip, split="val") for clip in clips])
    with pytest.raises(CorpusError, match=r"none among 8 clips; .* --set data.distributable_only=false"):
        build_training(recipe(data={"distributable_only": True}), [private])
    with pytest.raises(CorpusError, match=r"clips in the split 'train', got none among 8 clips; .* --val 0"):
        build_training(recipe(), [unused])


FITTED = {"basis": {"type": "fit"}, "generator": {"type": "supervised", "steps": 1, "frames": 12}}


@pytest.fixture
def offset_plugin() -> Iterator[None]:
    with installed_plugin("offset", "offset_parts"):
        yield


def test_what_the_model_holds_is_not_fitted_again(small_corpus: Path, tmp_path: Path, offset_plugin: None) -> None:
    generator = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 16}
    spec = recipe(pipeline={"representation": "offset/offset", "generator": generator}, phases=FITTED)
    fitted = train(spec, [small_corpus], tmp_path / "base", **FACTS)
    (clip, *_) = open_corpus(small_corpus)
    one = write_corpus(tmp_path / "one", [clip])
    model = train(spec, [one], tmp_path / "run", **FACTS, start=fitted)
    (_, before), (_, after) = load_checkpoint(fitted), load_checkpoint(model)
    assert torch.equal(before["representation.mean"], after["representation.mean"])
    assert float(after["representation.count"]) > len(clip.landmarks)
    (text,) = warnings(tmp_path / "run")
    assert text.startswith("the phase basis is left out, because the representation of tiny is fitted")
    assert read_header(model).card["recipe"]["phases"]["basis"]["steps"] == 0
