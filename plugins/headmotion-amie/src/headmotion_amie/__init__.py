"""A headmotion plugin: AMIE (Zhu, Huang, Li, Zheng and He 2020), video from speech by audio-visual coherence."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import headmotion as hm

from .specs import (
    EstimatorMetricSpec,
    EstimatorPhaseSpec,
    EstimatorSpec,
    FrameDiscriminatorSpec,
    GeneratorSpec,
    StillSpec,
)

RECIPES = Path(__file__).with_name("recipes")


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return all parts of the plugin."""
    return [
        GeneratorSpec,
        StillSpec,
        EstimatorSpec,
        EstimatorPhaseSpec,
        EstimatorMetricSpec,
        FrameDiscriminatorSpec,
    ]


@hm.hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the recipes by name."""
    return {f"amie/{path.stem}": path for path in sorted(RECIPES.glob("*.yaml"))}
