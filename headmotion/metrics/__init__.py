"""Metrics that fit any representation, and those that need a face."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from . import specs


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the metrics that come with headmotion."""
    return [
        specs.LandmarkDistanceSpec,
        specs.FrontalDistanceSpec,
        specs.LipErrorSpec,
        specs.OpeningSpec,
        specs.HeadMotionSpec,
        specs.JitterSpec,
        specs.DiversitySpec,
        specs.DriftSpec,
        specs.BeatSpec,
        specs.BlinkSpec,
        specs.AVSyncSpec,
        specs.FrechetMotionSpec,
        specs.FrechetSyncersSpec,
        specs.PsnrSpec,
        specs.SsimSpec,
        specs.LpipsSpec,
        specs.RedetectedDistanceSpec,
    ]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return license and source of the bundled syncers."""
    return [
        Asset(
            "metric-syncers.safetensors",
            "Apache-2.0",
            "trained for headmotion on landmarks and speech of the GRID corpus (Cooke, Barker, Cunningham, Shao 2006; "
            "speaker s1 of Zenodo record 3625687, and single sentences of others) and on synthetic speech",
            note="the corpus is CC-BY-4.0 as published, verify before redistributing the media; "
            "docs/metric-syncers.md reports how accurate they are",
        ),
    ]
