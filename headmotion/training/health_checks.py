"""Health checks: warnings about values of a run that have looked wrong for long, each with likely causes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..sync.pyramid import Pyramid
from .objectives import InfoNCE
from .recipe import RecipeSpec

MEAN_STEPS = 50
"""Steps that a running mean looks back: single batches are noisy, and top-1 of a small group is noisier still."""
PATIENCE = (150, 1000)
"""Bounds, in steps, of how long a problem lasts before it is reported: a fifth of the phase's steps. A good run leaves
the chance level within some dozen steps at the learning rates of `small-cpu`, and nobody should wait for an hour to
learn that nothing is learned."""
REPEAT_FACTOR = 10
"""A warning is repeated when the problem has lasted this many times longer."""
CHANCE_LOSS_RATIO = 0.97
"""Loss over the loss at chance. In good runs the slowest level is below 0.95 after 25 steps."""
CHANCE_TOP1_RATIO = 1.5
"""Top-1 over ``1 / N``. The running mean of chance itself stays below 1.2; a level that learns passes 2 first."""
MIN_HINGE = 0.1
"""Of 2 at zero scores. A discriminator that the generator keeps busy stays above 1."""
MAX_GENERATED_SCORE = -1.0
"""The hinge stops to push generated motion down at -1: where the mean lies beyond, hardly a frame is disputed."""
MIN_SPREAD_RATIO = 0.1
"""Spread of generated over real motion. Even the mean of all motions, which says nothing, moves a third as much."""
MAX_SPREAD_RATIO = 5.0
"""The same ratio, upward: no speaker moves five times as much as another for long."""
HIGH_TEMPERATURE = 0.5
"""Cosines between -1 and 1 that are divided by more hardly move a softmax over many windows."""


class Problem(NamedTuple):
    """Something that is wrong if it lasts."""

    title: str
    """What is wrong; also identifies the problem from step to step."""
    values: str
    """The values that show it."""
    causes: tuple[str, ...]
    """Likely causes, the likeliest first."""

    def warning(self, steps: int) -> str:
        """Return the warning, one line, after ``steps`` steps."""
        return f"{self.title} for {steps} steps ({self.values}); likely causes: {'; '.join(self.causes)}"


class HealthChecks:
    """Running means of a run's values, and warnings about those that have looked wrong for long.

    Args:
        recipe: gives the chance levels, the weight of the scores and the length of the phases.
    """

    def __init__(self, recipe: RecipeSpec) -> None:
        self.recipe = recipe
        self._means: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._durations: dict[str, int] = {}
        low, high = PATIENCE
        steps = {"syncers": recipe.syncers.steps, "generator": recipe.generator.steps}
        self.patience = {phase: min(high, max(low, count // 5)) for phase, count in steps.items()}

    def update(self, phase: str, values: Mapping[str, float]) -> list[str]:
        """Take the values of the next step of a phase and return the warnings that are due."""
        means = {name: self._update_mean(phase, name, value) for name, value in values.items()}
        problems = list(self._problems(phase, means))
        # A problem that is not seen in one step starts anew.
        self._durations = {problem.title: self._durations.get(problem.title, 0) + 1 for problem in problems}
        patience = self.patience.get(phase, PATIENCE[1])
        durations = ((problem, self._durations[problem.title]) for problem in problems)
        return [
            problem.warning(steps)
            for problem, steps in durations
            if steps == patience or not steps % (REPEAT_FACTOR * patience)
        ]

    def replay(self, log: Iterable[str]) -> None:
        """Take the lines of a log from before the run was stopped, without repeating its warnings."""
        for line in log:
            values = json.loads(line)
            phase, _ = values.pop("phase"), values.pop("step")
            if "warning" not in values:
                self.update(phase, values)

    def _update_mean(self, phase: str, name: str, value: float) -> float:
        key = f"{phase}/{name}"
        self._counts[key] = self._counts.get(key, 0) + 1
        before = self._means.get(key, value)
        self._means[key] = before + (value - before) / min(self._counts[key], MEAN_STEPS)
        return self._means[key]

    def _problems(self, phase: str, means: Mapping[str, float]) -> Iterator[Problem]:
        if phase == "syncers":
            yield from self._at_chance(means)
        elif phase == "generator":
            yield from self._discriminator_won(means)
            yield from _wrong_spread(means)

    def _at_chance(self, means: Mapping[str, float]) -> Iterator[Problem]:
        """Yield syncers that do not learn: their loss stays at that of chance."""
        spec = self.recipe.syncers
        causes: tuple[str, ...] = (
            "sound and motion that are apart in time or were mixed up",
            "a wrong frame rate",
            "silent or constant sound",
            "too few clips or speakers",
        )
        if isinstance(spec.objective, InfoNCE) and spec.objective.temperature > HIGH_TEMPERATURE:
            slow = f"syncers.temperature {spec.objective.temperature:g} with syncers.optimizer.lr {spec.optimizer.lr:g}"
            causes += (f"{slow}, where 0.1 with 0.001 learns sooner",)
        for level in range(self.recipe.pyramid.levels):
            count = self._group_size(level)
            chance = spec.objective.chance(count)
            loss, top1 = means.get(f"level{level}", 0.0), means.get(f"top1_{level}", 1.0)
            if loss > CHANCE_LOSS_RATIO * chance and top1 * count < CHANCE_TOP1_RATIO:
                yield Problem(
                    f"the syncer of level {level} does not learn",
                    f"loss {loss:.2f}, at chance {chance:.2f}; top-1 {100 * top1:.1f}%, at chance {100 / count:.1f}%",
                    causes,
                )

    def _group_size(self, level: int) -> int:
        """Return the windows among which a syncer chooses: coarse levels may have room for fewer per clip."""
        spec, pyramid = self.recipe.syncers, self.recipe.pyramid
        frames = Pyramid(pyramid.levels, pyramid.kernel, pyramid.stride).length(spec.frames, level)
        windows = max(1, min(spec.windows_per_clip, frames // getattr(self.recipe.syncer, "window", 1)))
        return min(spec.group_size, (spec.batch_size or self.recipe.data.batch_size) * windows)

    def _discriminator_won(self, means: Mapping[str, float]) -> Iterator[Problem]:
        """Yield discriminators whose loss is gone, and with it what the generator could learn from them."""
        weight = self.recipe.generator.adversarial_weight
        for head in (name.removeprefix("g_") for name in means if name.startswith("g_")):
            hinge, score = means.get(f"d_{head}", 2.0), -means[f"g_{head}"] / (weight or 1.0)
            if hinge < MIN_HINGE and score < MAX_GENERATED_SCORE:
                yield Problem(
                    f"the {head} discriminator has won",
                    f"loss {hinge:.2f}, even is 2; mean score of generated motion {score:.1f}",
                    (
                        "a learning rate of the discriminators too high for the generator's",
                        "too few clips, which are known by heart",
                        "generated motion that is far off",
                    ),
                )


def _wrong_spread(means: Mapping[str, float]) -> Iterator[Problem]:
    """Yield generated motion that freezes or diverges."""
    ratio = means.get("spread_ratio", 1.0)
    values = f"its spread over time is {ratio:.2g} times that of real motion"
    if ratio < MIN_SPREAD_RATIO:
        causes = (
            "a learning rate of the generator too low",
            "a reconstruction loss that outweighs the other losses",
            "a velocity_scale of the generator too small",
        )
        yield Problem("generated motion freezes", values, causes)
    elif ratio > MAX_SPREAD_RATIO:
        causes = ("no anchor in the generator", "generator.frames too few to show drift", "a learning rate too high")
        yield Problem("generated motion diverges", values, causes)
