"""What can be wrong with an adversarial phase, by its values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..core.interfaces.phase import Problem
from .adversarial_objectives import OBJECTIVES
from .specs import AdversarialPhaseSpec

MIN_DISCRIMINATOR_RATIO = 0.05
"""Loss of a discriminator over that of one at chance. One that the generator keeps busy stays above 0.5.
"""
MAX_GENERATED_SCORE = -1.0
"""The hinge stops to push generated motion down at -1: where the mean lies beyond, hardly a frame is disputed."""
MIN_SPREAD_RATIO = 0.1
"""Spread of generated over real motion. Even the mean of all motions, which says nothing, moves a third as much."""
MAX_SPREAD_RATIO = 5.0
"""The same ratio, upward: no speaker moves five times as much as another for long."""


def discriminator_won(
    spec: AdversarialPhaseSpec, means: Mapping[str, float], predicted: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield discriminators whose loss is gone, and with it what could be learned from them.

    Args:
        spec: of the phase.
        means: running means of the logged values by name.
        predicted: names of predictions, whose errors may become small.
    """
    even = OBJECTIVES[spec.objective].even
    heads = {name.removeprefix("g_") for name in means if name.startswith("g_")}
    for head in sorted(heads - set(predicted)):
        loss, score = means.get(f"d_{head}", even), -means[f"g_{head}"] / (spec.adversarial_weight or 1.0)
        # Only the hinge's score is also its loss, by whose value a discriminator is known to be beyond dispute.
        if loss < MIN_DISCRIMINATOR_RATIO * even and (spec.objective != "hinge" or score < MAX_GENERATED_SCORE):
            mean_score = f"; mean score of generated motion {score:.1f}" if spec.objective == "hinge" else ""
            yield Problem(
                f"the {head} discriminator has won",
                f"loss {loss:.2f}, even is {even:.3g}{mean_score}",
                (
                    "a learning rate of the discriminators too high for the generator's",
                    "too few clips, which are known by heart",
                    "generated motion that is far off",
                ),
            )


def wrong_spread(means: Mapping[str, float]) -> Iterator[Problem]:
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
        causes = ("no anchor in the generator", "frames too few to show drift", "a learning rate too high")
        yield Problem("generated motion diverges", values, causes)


def still_pictures(means: Mapping[str, float]) -> Iterator[Problem]:
    """Yield drawn pictures that hardly change over time; there is no such limit upward, because noise changes too."""
    ratio = means.get("spread_ratio", 1.0)
    if ratio < MIN_SPREAD_RATIO:
        causes = (
            "too few steps yet",
            "pixels around the face that outweigh the mouth",
            "a learning rate of the renderer too low",
        )
        yield Problem("drawn pictures stand still", f"they change {ratio:.2g} times as much as recorded ones", causes)
