"""A headmotion plugin: AMIE (Zhu, Huang, Li, Zheng and He 2020), video from speech by audio-visual coherence."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import headmotion as hm

from .specs import (
    BUNDLED_ESTIMATORS,
    EstimatorMetricSpec,
    EstimatorPhaseSpec,
    EstimatorSpec,
    FrameDiscriminatorSpec,
    GeneratorSpec,
    StillSpec,
)

RECIPES, MODELS = (Path(__file__).with_name(name) for name in ("recipes", "models"))
GRID = "GRID corpus, speakers 1 and 4 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)"


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
def headmotion_models() -> Mapping[str, Path]:
    """Return the bundled models."""
    return {f"amie/{path.stem}": path for path in sorted(MODELS.glob("*.safetensors"))}


@hm.hookimpl
def headmotion_licenses() -> Iterable[hm.Asset]:
    """Return the license of trained weights."""
    note = "the corpus is CC-BY-4.0 as published, verify before redistributing the media; each file has a card"
    files = [*sorted(MODELS.glob("*.safetensors")), *BUNDLED_ESTIMATORS.values()]
    return [hm.Asset(file.name, "Apache-2.0", f"trained for headmotion on the {GRID}", note=note) for file in files]


@hm.hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the recipes by name."""
    return {f"amie/{path.stem}": path for path in sorted(RECIPES.glob("*.yaml"))}
