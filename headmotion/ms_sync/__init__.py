"""MS-Sync, the default plugin: multi-scale audio-visual synchrony and a multi-scale autoregressive GAN.

Source: Airale, Vaufreydaz and Alameda-Pineda, "Audio-Driven Talking Head Generation with Multi-Scale Synchrony
Loss", arXiv 2307.03270 (v1).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import MSSyncDiscriminatorSpec, MSSyncGeneratorSpec, MSSyncSyncerSpec

_HERE = Path(__file__).parent


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the specs of the generator, the syncer and the discriminators."""
    return [MSSyncGeneratorSpec, MSSyncSyncerSpec, MSSyncDiscriminatorSpec]


@hookimpl
def headmotion_models() -> Mapping[str, Path]:
    """Return the bundled model."""
    return {path.stem: path for path in sorted((_HERE / "models").glob("*.safetensors"))}


@hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the training recipes by their path in the folder: ``smoke``, ``ablation/full``."""
    folder = _HERE / "recipes"
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.yaml"))}


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the license of the bundled model."""
    return [
        Asset(
            "ms-sync.safetensors",
            "Apache-2.0",
            "trained for headmotion on landmarks and speech of the "
            "GRID corpus, speaker 1 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)",
            note="the corpus is CC-BY-4.0 as published, verify before redistributing the media; "
            "`headmotion inspect` shows the model's card",
        )
    ]
