"""A headmotion plugin: ATVGnet (Chen, Maddox, Duan and Xu 2019), from speech to landmarks to video."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import headmotion as hm

from .conversion import CONVERTERS
from .specs import ATNetSpec, DynamicPixelSpec, LandmarkPCASpec, RegressionSpec, VGNetSpec

RECIPES = Path(__file__).with_name("recipes")


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return all parts of the plugin."""
    return [LandmarkPCASpec, ATNetSpec, VGNetSpec, RegressionSpec, DynamicPixelSpec]


@hm.hookimpl
def headmotion_converters() -> Iterable[hm.Converter]:
    """Return the ways between landmarks and their coefficients."""
    return CONVERTERS


@hm.hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the recipes: each network, both, the bundled model's, and a quick one."""
    return {f"atvg/{path.stem}": path for path in sorted(RECIPES.glob("*.yaml"))}
