"""A headmotion plugin: ATVGnet (Chen, Maddox, Duan and Xu 2019), from speech to landmarks to video."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import headmotion as hm
from headmotion.core.assets import Asset

from .conversion import CONVERTERS
from .specs import ATNetSpec, DynamicPixelSpec, LandmarkPCASpec, RegressionSpec, VGNetSpec

RECIPES, MODELS = (Path(__file__).with_name(name) for name in ("recipes", "models"))


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


@hm.hookimpl
def headmotion_models() -> Mapping[str, Path]:
    """Return the bundled model."""
    return {f"atvg/{path.stem}": path for path in sorted(MODELS.glob("*.safetensors"))}


@hm.hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the license of the bundled model."""
    source = "trained for headmotion on GRID, speakers s1 and s4 (Cooke, Barker, Cunningham, Shao 2006; Zenodo 3625687)"
    note = "the corpus is CC BY 4.0 as published; `headmotion inspect atvg/grid` shows the model's card"
    return [Asset("atvg/grid.safetensors", "Apache-2.0", source, note=note)]
