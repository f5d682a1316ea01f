"""A headmotion plugin: talking heads driven by audio and speech-related action units (Chen and others 2021)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import headmotion as hm

from .conversion import CONVERTERS
from .specs import (
    MODELS,
    ActionUnitsSpec,
    AudioToAUSpec,
    ClassifierSpec,
    FrameDiscriminatorSpec,
    ImageGeneratorSpec,
    UnitAccuracySpec,
    UnitFeaturesSpec,
    UnitLossSpec,
)

RECIPES = Path(__file__).with_name("recipes")


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return all parts of the plugin."""
    return [
        ActionUnitsSpec,
        AudioToAUSpec,
        UnitFeaturesSpec,
        ClassifierSpec,
        UnitLossSpec,
        FrameDiscriminatorSpec,
        ImageGeneratorSpec,
        UnitAccuracySpec,
    ]


@hm.hookimpl
def headmotion_converters() -> Iterable[hm.Converter]:
    """Return the ways to action units and to blend shapes."""
    return CONVERTERS


@hm.hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the recipes: each part, all together in two sizes, and a quick one."""
    return {f"au/{path.stem}": path for path in sorted(RECIPES.glob("*.yaml"))}


@hm.hookimpl
def headmotion_licenses() -> Iterable[hm.Asset]:
    """Return the license of trained weights."""
    source = "trained for headmotion on the GRID corpus (Cooke, Barker, Cunningham and Shao 2006), speakers 1 and 4"
    note = "the corpus is CC-BY-4.0 as published, verify before redistributing the media; each file has a card"
    return [hm.Asset(file.name, "Apache-2.0", source, note=note) for file in sorted(MODELS.glob("*.safetensors"))]


@hm.hookimpl
def headmotion_models() -> Mapping[str, Path]:
    """Return the bundled models."""
    return {f"au/{path.stem}": path for path in sorted(MODELS.glob("*.safetensors"))}
