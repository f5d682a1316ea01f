"""Metrics that fit any representation, and those that a face allows."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from . import frechet_specs, motion_specs, sync_specs


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
