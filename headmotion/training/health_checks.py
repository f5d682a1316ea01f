"""The watch: sees in the figures of a run what users get stuck on, and says so in one line with likely causes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..sync.pyramid import Pyramid
from .objectives import InfoNCE
from .recipe import RecipeSpec

MEMORY = 50
"""Steps that a running mean looks back: single batches are noisy, and top-1 of a small group is noisier still."""
PATIENCE = (150, 1000)
"""A fifth of the phase's steps within these bounds: a good run leaves the chance level within some dozen steps at the
learning rates of `small-cpu`, and nobody should wait for an hour to hear that nothing is learned."""
AGAIN = 10
"""A warning comes again when what it says has lasted this many times longer."""
NEAR_CHANCE_LOSS = 0.97
"""Share of the loss at chance. In good runs the slowest level is below 0.95 after 25 steps."""
NEAR_CHANCE_TOP1 = 1.5
"""Times ``1 / N``. The running mean of chance itself stays below 1.2, that of a level that learns passes 2 first."""
WON_HINGE = 0.1
"""Of 2 at zero scores. A discriminator that the generator keeps busy stays above 1."""
WON_SCORE = -1.0
"""The hinge stops to push generated motion down at -1: where the mean lies beyond, hardly a frame is disputed."""
STILL = 0.1
"""Spread of generated over real motion. Even the mean of all motions, which says nothing, moves a third as much."""
RUNAWAY = 5.0
"""The same ratio, upward: no speaker moves five times as much as another for long."""
HIGH_TEMPERATURE = 0.5
"""Cosines between -1 and 1 that are divided by more hardly move a softmax over many windows."""


class Suspicion(NamedTuple):
    """Something that is wrong if it lasts."""

    what: str
    """Also what it is known by."""
    figures: str
    causes: tuple[str, ...]

    def after(self, steps: int) -> str:
        """The one line that says so."""
        return f"{self.what} for {steps} steps ({self.figures}); likely causes: {'; '.join(self.causes)}"


class Watch:
    """Keeps running means of a run's figures and says what has looked wrong for long, once in a long while.

    Args:
        recipe: says how many windows are told apart, what the scores weigh, and how long the phases are.
    """

    def __init__(self, recipe: RecipeSpec) -> None:
        self.recipe = recipe
        self._means: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._lasted: dict[str, int] = {}
        low, high = PATIENCE
        steps = {"syncers": recipe.syncers.steps, "generator": recipe.generator.steps}
        self.patience = {phase: min(high, max(low, count // 5)) for phase, count in steps.items()}

    def step(self, phase: str, values: Mapping[str, float]) -> list[str]:
        """The figures of the next step of a phase in, the warnings that are due out."""
        means = {name: self._mean(phase, name, value) for name, value in values.items()}
        found = list(self._suspicions(phase, means))
        self._lasted = {each.what: self._lasted.get(each.what, 0) + 1 for each in found}
        patience = self.patience.get(phase, PATIENCE[1])
        lasted = ((each, self._lasted[each.what]) for each in found)
        return [each.after(steps) for each, steps in lasted if steps == patience or not steps % (AGAIN * patience)]

    def replay(self, log: Iterable[str]) -> None:
        """Take note of the lines of a log, from before the run was stopped, without saying anything again."""
        for line in log:
            values = json.loads(line)
            phase, _ = values.pop("phase"), values.pop("step")
            if "warning" not in values:
                self.step(phase, values)

    def _mean(self, phase: str, name: str, value: float) -> float:
        key = f"{phase}/{name}"
        self._seen[key] = self._seen.get(key, 0) + 1
        before = self._means.get(key, value)
        self._means[key] = before + (value - before) / min(self._seen[key], MEMORY)
        return self._means[key]

    def _suspicions(self, phase: str, means: Mapping[str, float]) -> Iterator[Suspicion]:
        if phase == "syncers":
            yield from self._chance(means)
        elif phase == "generator":
            yield from self._won(means)
            yield from _spread(means)

    def _chance(self, means: Mapping[str, float]) -> Iterator[Suspicion]:
        """Syncers that tell nothing apart: their loss is the objective's at chance."""
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
            count = self._group(level)
            loss, top1, chance = (
                means.get(f"level{level}", 0.0),
                means.get(f"top1_{level}", 1.0),
                spec.objective.chance(count),
            )
            if loss > NEAR_CHANCE_LOSS * chance and top1 * count < NEAR_CHANCE_TOP1:
                yield Suspicion(
                    f"the syncer of level {level} tells nothing apart",
                    f"loss {loss:.2f}, at chance {chance:.2f}; top-1 {100 * top1:.1f}%, at chance {100 / count:.1f}%",
                    causes,
                )

    def _group(self, level: int) -> int:
        """Windows among which a syncer chooses: coarse levels may have room for fewer per clip."""
        spec, pyramid = self.recipe.syncers, self.recipe.pyramid
        frames = Pyramid(pyramid.levels, pyramid.kernel, pyramid.stride).length(spec.frames, level)
        windows = max(1, min(spec.windows_per_clip, frames // getattr(self.recipe.syncer, "window", 1)))
        return min(spec.group_size, (spec.batch_size or self.recipe.data.batch_size) * windows)

    def _won(self, means: Mapping[str, float]) -> Iterator[Suspicion]:
        """Discriminators whose loss is gone, and with it what the generator could learn from them."""
        weight = self.recipe.generator.adversarial_weight
        for head in (name.removeprefix("g_") for name in means if name.startswith("g_")):
            hinge, score = means.get(f"d_{head}", 2.0), -means[f"g_{head}"] / (weight or 1.0)
            if hinge < WON_HINGE and score < WON_SCORE:
                yield Suspicion(
                    f"the {head} discriminator has won",
                    f"loss {hinge:.2f}, even is 2; mean score of generated motion {score:.1f}",
                    (
                        "a learning rate of the discriminators too high beside the generator's",
                        "clips so few that they are known by heart",
                        "generated motion that is far off",
                    ),
                )


def _spread(means: Mapping[str, float]) -> Iterator[Suspicion]:
    """Generated motion that stands still, or runs away."""
    ratio = means.get("spread_ratio", 1.0)
    figures = f"its spread over time is {ratio:.2g} times that of real motion"
    if ratio < STILL:
        causes = (
            "a learning rate of the generator too low",
            "a reconstruction loss that outweighs the other losses",
            "a velocity_scale of the generator too small",
        )
        yield Suspicion("generated motion stands still", figures, causes)
    elif ratio > RUNAWAY:
        causes = ("no anchor in the generator", "generator.frames too few to show drift", "a learning rate too high")
        yield Suspicion("generated motion runs away", figures, causes)
