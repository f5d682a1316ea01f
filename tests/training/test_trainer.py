import json
from pathlib import Path
from typing import Any

import pytest
import torch
from killed import killed_at

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training import train
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.contrastive_phase import ContrastivePhase


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic(tmp_path_factory.mktemp("data") / "corpus", clips=12, seconds=2.5, clips_per_speaker=2)


@pytest.fixture(scope="module")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    train("smoke", [corpus], folder, device="cpu", quiet=True)
    return folder


def test_a_trained_model_can_be_loaded_and_has_a_card(finished: Path) -> None:
    header = read_header(finished / "model.safetensors")
    assert header.step == 10
    assert header.card["clips"] == 12 and header.card["hours"] == pytest.approx(12 * 2.5 / 3600, abs=1e-3)
    pipe = hm.load(finished / "model.safetensors", device="cpu")
    assert len(pipe.generate((torch.zeros(16_000), 16_000))) == 25


def test_the_averaged_model_has_the_statistics_of_its_inputs(corpus: Path, tmp_path: Path) -> None:
    model = train("smoke", [corpus], tmp_path, device="cpu", quiet=True, overrides=["phases.generator.ema_decay=0.9"])
    scale = hm.load(model, device="cpu").generator.audio.scale  # type: ignore[attr-defined]
    assert int(scale.num_batches_tracked) == 10
    assert -12 < float(scale.running_mean.mean()) < -1


def test_values_of_every_step_are_logged(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [(line["phase"], line["step"]) for line in lines] == [
        *[("syncers", n) for n in range(10)],
        *[("generator", n) for n in range(10)],
    ]
    assert {"level0", "top1_3"} <= lines[0].keys()
    assert {"d_frame", "g_pair", "sync", "all"} <= lines[-1].keys()


@pytest.mark.parametrize(("phase", "at"), [("syncers", 7), ("generator", 3), ("generator", 8)])
def test_a_killed_run_resumes_to_the_same_parameters(
    phase: str, at: int, corpus: Path, finished: Path, tmp_path: Path
) -> None:
    with killed_at(at, ContrastivePhase if phase == "syncers" else AdversarialPhase):
        train("smoke", [corpus], tmp_path / "run", device="cpu", quiet=True)
    assert not (tmp_path / "run" / "model.safetensors").exists()
    train("smoke", [corpus], tmp_path / "run", device="cpu", quiet=True, resume=True)
    for name in ("model.safetensors", "syncers.safetensors"):
        ours, theirs = read_header(tmp_path / "run" / name), read_header(finished / name)
        assert ours.sha256 == theirs.sha256
    assert (tmp_path / "run" / "log.jsonl").read_text() == (finished / "log.jsonl").read_text()


def test_a_folder_with_a_run_is_not_overwritten(corpus: Path, finished: Path) -> None:
    with pytest.raises(hm.TrainingError, match="--resume"):
        train("smoke", [corpus], finished, device="cpu", quiet=True)
    changed = ["seed=3", "phases.generator.optimizer.lr=0.5"]
    with pytest.raises(
        hm.TrainingError, match=r"got seed 3 instead of 0, phases\.generator\.optimizer\.lr 0\.5 instead of"
    ):
        train("smoke", [corpus], finished, device="cpu", quiet=True, resume=True, overrides=changed)
    many = [f"data.{name}=0.3" for name in ("speaker_balance", "color_jitter", "time_stretch", "from_start")]
    with pytest.raises(hm.TrainingError, match="and 1 more; use a new folder"):
        train("smoke", [corpus], finished, device="cpu", quiet=True, resume=True, overrides=["seed=3", *many])


@pytest.mark.parametrize(
    ("recipe", "overrides", "complaint"),
    [
        ("smokey", [], "smoke"),
        ("smoke", ["phases.syncers.stepz=3"], "stepz"),
        ("smoke", ["phases.syncers=3=4"], "phase spec"),
        ("smoke", ["phases.syncers.steps.x=3"], "a mapping at"),
        ("smoke", ["nonsense"], "a.b=value"),
        ("smoke", ["pipeline.generator.type=ms-sinc"], "did you mean 'ms-sync'"),
        ("smoke", ["phases.syncers.frames=12"], "40 frames"),
    ],
)
def test_a_bad_recipe_is_one_clear_error(
    recipe: str, overrides: list[str], complaint: str, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(hm.HeadmotionError, match=complaint) as caught:
        train(recipe, [corpus], tmp_path / "run", device="cpu", quiet=True, overrides=overrides)
    assert "\n" not in str(caught.value)


def test_the_syncers_of_another_run_give_the_same_model(corpus: Path, finished: Path, tmp_path: Path) -> None:
    given = finished / "syncers.safetensors"
    model = train("smoke", [corpus], tmp_path / "run", device="cpu", quiet=True, syncers=given)
    assert read_header(model).sha256 == read_header(finished / "model.safetensors").sha256
    with pytest.raises(hm.HeadmotionError, match="differs in syncer"):
        narrow = ["phases.syncers.syncer.embedding_size=8"]
        train("smoke", [corpus], tmp_path / "b", device="cpu", quiet=True, overrides=narrow, syncers=given)


def test_syncers_without_steps_are_given_or_named(corpus: Path, finished: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"device": "cpu", "quiet": True, "overrides": ["phases.syncers.steps=0"]}
    expected = "^generator phase: expected trained syncers, which loss sync uses, got syncers with 0 steps; "
    remedy = r"set phases\.syncers\.steps above 0, or give those of another run \(--syncers FILE\)$"
    with pytest.raises(hm.SpecError, match=expected + remedy):
        train("smoke", [corpus], tmp_path / "run", **changes)
    model = train("smoke", [corpus], tmp_path / "run", syncers=finished / "syncers.safetensors", **changes)
    assert read_header(model).sha256 == read_header(finished / "model.safetensors").sha256


def test_clips_shorter_than_a_crop_are_named(corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    few = ["phases.syncers.steps=1", "phases.generator.steps=1"]
    train("smoke", [corpus], tmp_path / "all", device="cpu", quiet=True, overrides=few)
    assert "never drawn" not in caplog.text
    short = write_synthetic(tmp_path / "short", clips=2, seconds=1)
    train("smoke", [corpus, short], tmp_path / "run", device="cpu", quiet=True, overrides=few)
    assert "2 of 14 clips are shorter than the 48 frames of a crop and are never drawn" in caplog.text


def test_a_run_past_its_first_phase_uses_its_own_syncers(corpus: Path, finished: Path, tmp_path: Path) -> None:
    more = ["phases.generator.steps=1", "phases.syncers.steps=3"]
    train("smoke", [corpus], tmp_path, device="cpu", quiet=True, overrides=more)
    own = (tmp_path / "syncers.safetensors").read_bytes()
    given = finished / "syncers.safetensors"
    train("smoke", [corpus], tmp_path, device="cpu", quiet=True, overrides=more, resume=True, syncers=given)
    assert (tmp_path / "syncers.safetensors").read_bytes() == own != given.read_bytes()
