import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.core.interfaces.phase import Problem
from headmotion.data.clip import Clip
from headmotion.data.corpus import write_corpus
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.training import train
from headmotion.training.adversarial_checks import discriminator_won, still_pictures, wrong_spread
from headmotion.training.health_checks import REPEAT_FACTOR, HealthChecks
from headmotion.training.recipe import RecipeSpec, load_recipe
from headmotion.training.specs import AdversarialPhaseSpec, ContrastivePhaseSpec
from headmotion.training.syncer_checks import SyncerChecks

CHANGES = [
    "phases.generator.adversarial_weight=0.3",
    "data.batch_size=48",
    "phases.syncers.group_size=48",
    "phases.syncers.steps=1600",
    "phases.generator.steps=2000",
]
RECIPE = load_recipe("smoke", CHANGES)
CHANCE = 2 * math.log(48)
SYNCERS = {"level0": 3.0, "top1_0": 0.5, "level1": 4.0, "top1_1": 0.3}
GENERATOR = {"d_frame": 1.8, "g_frame": 0.1, "d_pair": 1.7, "g_pair": 0.0, "spread_ratio": 0.7, "sync": -2.0}


class CheckedPhase:
    """The checks of a phase of the recipe, without its networks."""

    def __init__(self, name: str, recipe: RecipeSpec) -> None:
        self.name, self.spec = name, recipe.phases[name]
        self.steps, self.batch_size = self.spec.steps, recipe.data.batch_size

    def problems(self, means: Mapping[str, float]) -> Iterable[Problem]:
        if isinstance(self.spec, ContrastivePhaseSpec):
            return SyncerChecks(self.spec, self.batch_size, 5).problems(means)
        assert isinstance(self.spec, AdversarialPhaseSpec)
        return [*discriminator_won(self.spec, means), *wrong_spread(means)]


def health_checks(recipe: RecipeSpec) -> HealthChecks:
    return HealthChecks([CheckedPhase(name, recipe) for name in recipe.phases])  # type: ignore[misc]


def warnings(phase: str, values: dict[str, float], steps: int = 1200, recipe: RecipeSpec = RECIPE) -> list[str]:
    """Return the warnings about noisy values around these."""
    checks, rng = health_checks(recipe), np.random.default_rng(0)
    noisy = ({name: value * rng.uniform(0.95, 1.05) for name, value in values.items()} for _ in range(steps))
    return [text for step_values in noisy for text in checks.update(phase, step_values)]


@pytest.mark.parametrize(("phase", "values"), [("syncers", SYNCERS), ("generator", GENERATOR)])
def test_values_of_a_good_run_give_no_warning(phase: str, values: dict[str, float]) -> None:
    assert warnings(phase, values) == []


@pytest.mark.parametrize(
    ("phase", "change", "title"),
    [
        ("syncers", {"level1": CHANCE, "top1_1": 1 / 48}, "syncer of level 1"),
        ("generator", {"d_pair": 0.02, "g_pair": 0.6}, "pair discriminator has won"),
        ("generator", {"spread_ratio": 0.02}, "freezes"),
        ("generator", {"spread_ratio": 9.0}, "diverges"),
    ],
)
def test_a_problem_that_lasts_is_reported_once_with_causes(phase: str, change: dict[str, float], title: str) -> None:
    good = SYNCERS if phase == "syncers" else GENERATOR
    (text,) = warnings(phase, good | change)
    assert title in text and "likely causes: " in text and "\n" not in text


def test_pictures_that_stand_still_are_not_called_motion() -> None:
    (problem,) = still_pictures({"spread_ratio": 0.02})
    assert "pictures stand still" in str(problem) and "renderer" in str(problem) and "velocity" not in str(problem)
    assert not list(still_pictures({"spread_ratio": 0.3})) and not list(still_pictures({}))


@pytest.mark.parametrize(
    ("phase", "change"),
    [
        ("syncers", {"level1": CHANCE, "top1_1": 0.1}),
        ("syncers", {"level1": 0.9 * CHANCE, "top1_1": 1 / 48}),
        ("generator", {"d_pair": 0.02, "g_pair": 0.1}),
        ("generator", {"d_pair": 0.5, "g_pair": 0.6}),
        ("generator", {"spread_ratio": 0.3}),
    ],
)
def test_one_of_two_symptoms_gives_no_warning(phase: str, change: dict[str, float]) -> None:
    assert warnings(phase, (SYNCERS if phase == "syncers" else GENERATOR) | change) == []


def test_a_warning_is_repeated_after_a_long_while_and_not_given_for_short_problems() -> None:
    stuck = {"level0": CHANCE, "top1_0": 1 / 48}
    patience = health_checks(RECIPE).patience["syncers"]
    assert patience == 320
    assert len(warnings("syncers", stuck, patience - 1)) == 0
    assert len(warnings("syncers", stuck, REPEAT_FACTOR * patience - 1)) == 1
    assert len(warnings("syncers", stuck, REPEAT_FACTOR * patience)) == 2
    checks = health_checks(RECIPE)
    for number in range(20 * patience):
        assert checks.update("syncers", SYNCERS if number % patience > patience - 60 else stuck) == []


def test_a_high_temperature_is_named_among_the_causes() -> None:
    stuck = {"level0": CHANCE, "top1_0": 1 / 48}
    hot = load_recipe("smoke", [*CHANGES, "phases.syncers.temperature=1.0", "phases.syncers.optimizer.lr=0.0001"])
    assert "temperature 1 with optimizer.lr 0.0001" in warnings("syncers", stuck, recipe=hot)[0]
    assert "temperature" not in warnings("syncers", stuck)[0]


@given(st.integers(0, 700))
@settings(max_examples=10)
def test_a_resumed_run_is_checked_as_if_it_had_not_stopped(stop: int) -> None:
    lines = [{"level0": CHANCE + 0.01 * math.sin(n), "top1_0": 1 / 48} for n in range(700)]
    uninterrupted = health_checks(RECIPE)
    expected = [uninterrupted.update("syncers", values) for values in lines]
    before, after, warned = health_checks(RECIPE), health_checks(RECIPE), []
    stored = []
    for number, values in enumerate(lines[:stop]):
        warned.append(before.update("syncers", values))
        stored.append({"phase": "syncers", "step": number} | values)
        stored += [{"phase": "syncers", "step": number, "warning": text} for text in warned[-1]]
    after.replay(json.dumps(line) for line in stored)
    assert warned + [after.update("syncers", values) for values in lines[stop:]] == expected


def shuffled(clip: Clip, others: list[Clip], rng: np.random.Generator) -> Clip:
    """Return the clip with sections of sound, 40 ms each, from all over the corpus."""
    starts = rng.permutation(len(clip.audio) // 640) * 640
    sound = [others[int(rng.integers(len(others)))].audio[start : start + 640] for start in starts]
    return replace(clip, audio=np.concatenate(sound))


@pytest.mark.parametrize("good", [True, False])
def test_a_real_run_on_shuffled_sound_is_reported_and_one_on_intact_sound_is_not(
    good: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips: list[Any] = [synthetic_clip(number, 1.6, speaker=number // 2) for number in range(20)]
    rng = np.random.default_rng(0)
    corpus = write_corpus(tmp_path / "corpus", clips if good else [shuffled(clip, clips, rng) for clip in clips])
    changes = ["pyramid.levels=1", "steps=160", "frames=30", "windows_per_clip=4"]
    changes = [f"phases.syncers.{change}" for change in changes]
    train("smoke", [corpus], tmp_path / "run", "cpu", [*changes, "phases.generator.steps=0"], quiet=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    warned = [line for line in lines if "warning" in line]
    assert [line["step"] for line in warned] == ([] if good else [149])
    assert len(lines) - len(warned) == 160
    assert [record.name for record in caplog.records] == ["headmotion.training"] * len(warned)
    assert all(line["warning"] in caplog.text for line in warned)
