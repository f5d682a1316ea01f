"""Causal flow, a second system: lips by regression from speech, and the head, brows and eyes by flow matching.

The division into regressed lips and a small flow for the rest follows DyStream (arXiv 2512.24408), much smaller. Flow
matching is that of Lipman, Chen, Ben-Hamu, Nickel, Le (arXiv 2210.02747).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import CausalFlowGeneratorSpec

_HERE = Path(__file__).parent


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the spec of the generator."""
    return [CausalFlowGeneratorSpec]


@hookimpl
def headmotion_models() -> Mapping[str, Path]:
    """Return the bundled models."""
    return {path.stem: path for path in sorted((_HERE / "models").glob("*.safetensors"))}


@hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the training recipes."""
    return {path.stem: path for path in sorted((_HERE / "recipes").glob("*.yaml"))}


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the licenses of the bundled models."""
    return [
        Asset(
            "blendshapes.safetensors",
            "Apache-2.0",
            "trained for headmotion on speech and detected weights of blend shapes of the GRID corpus, speakers s1, "
            "s4, s10 and four more (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)",
            note="the corpus is CC-BY-4.0 as published, verify before redistributing the media; "
            "`headmotion inspect` shows the model's card",
        ),
        Asset(
            "causal-flow.safetensors",
            "Apache-2.0",
            "trained for headmotion on landmarks and speech of the GRID corpus, speakers 1, 4, 10 and single sentences "
            "of others (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)",
            note="the corpus is CC-BY-4.0 as published, verify before redistributing the media; "
            "`headmotion inspect` shows the model's card",
        ),
    ]
