"""What a worker of a preparation builds once: the detector, and the filters with their syncers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from importlib.resources import as_file, files

from ..core.errors import SpecError
from ..core.interfaces.detector import Detector, SupportsLabels
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext
from ..core.spec import building
from ..detectors.converted import build_detector
from ..detectors.detection_points import DetectionPoints
from ..media.image import read_picture
from ..representations.specs import Landmarks68Spec
from ..sync.trained import load_syncers
from .clip_filters import ClipFilters
from .face_tracks import FaceTrack, Labels, Poses
from .settings import FPS, Settings


@dataclass(frozen=True)
class WorkerResources:
    """What a worker holds while it processes one video after another."""

    settings: Settings
    detector: Detector
    representation: Representation
    """Of the motion of clips."""
    points: DetectionPoints
    """By which faces are followed, measured and cut out."""
    filters: ClipFilters

    @classmethod
    def build(cls, settings: Settings) -> WorkerResources:
        """Build the detector and load the syncers.

        Raises:
            SpecError, CheckpointError: one of them does not fit.
            DetectorError: the detector does not work on this machine.
        """
        with building("detector"):
            detector, representation = _build_detector(settings)
        _check_detector(detector)
        if settings.labels and not isinstance(detector, SupportsLabels):
            remedy = "face-mesh gives blend shapes; leave labels out with others"
            raise SpecError("preparation", "a detector that gives labels", detector.spec.type_name(), remedy)
        points = DetectionPoints.of(detector, representation)
        if points is None:
            expected = f"a detector that gives landmarks too, because {representation.name} have no place in a picture"
            raise SpecError("preparation", expected, detector.spec.type_name(), "use face-mesh")
        syncers = load_syncers(settings.syncers) if settings.syncers else None
        if syncers and (syncers.fps != FPS or syncers.representation.points != representation.points):
            got = f"{syncers.representation.name} at {syncers.fps:g}"
            raise SpecError("syncers", f"{representation.name} at {FPS} frames per second", got)
        filters = ClipFilters(settings, points.representation, syncers)
        return cls(settings, detector, representation, points, filters)

    def split(self, track: FaceTrack) -> tuple[Poses | None, Labels | None]:
        """Return motion ``[T, P, D]`` and labels ``[T, N]`` of a track; None for motion that is the track's points."""
        values = 0 if self.points.are_poses else self.representation.points * self.representation.dims
        motion, labels = track.labels[:, :values], track.labels[:, values:]
        shape = len(motion), self.representation.points, self.representation.dims
        return motion.reshape(shape) if values else None, labels if self.settings.labels else None


def _build_detector(settings: Settings) -> tuple[Detector, Representation]:
    """Build the detector for the settings' representation, or for landmarks with depth if it has depth, or without."""
    named = settings.representation
    # Depth is worth having, and costs nothing where the detector has it.
    specs = [Landmarks68Spec(dims=3), Landmarks68Spec(dims=2)] if named is None else [named]
    for spec in specs[:-1]:
        representation = spec.build()
        with contextlib.suppress(SpecError):
            return settings.detector.build(BuildContext(representation, 0)).eval(), representation
    representation = specs[-1].build()
    return build_detector(settings.detector, BuildContext(representation, 0)).eval(), representation


def _check_detector(detector: Detector) -> None:
    """Raise what the detector raises for the bundled portrait.

    Without this, a detector that cannot work at all would pass for one that finds no face in any video.
    """
    with as_file(files("headmotion") / "assets/portrait.png") as path:
        detector.detect([read_picture(path)])
