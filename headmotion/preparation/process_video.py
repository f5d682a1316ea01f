"""One video becomes clips: read once, in memory that does not grow with its length."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import cast

import numpy as np
import torch

from ..core.errors import AudioError, DetectorError, ImageError, SpecError
from ..core.interfaces.detector import Detector
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.interfaces.specs import BuildContext, RepresentationSpec
from ..core.spec import building, resolve_spec
from ..media.image import read_picture
from ..media.video_reader import Video, VideoFrame, open_video
from ..sync.trained import load_syncers
from .aligned_audio import Speech
from .crop import crop
from .face_segments import Piece, Pieces
from .face_tracks import Poses
from .filters import Checks
from .find_videos import clip_id
from .settings import FPS, Settings
from .staging import StagedVideo


@dataclass(frozen=True)
class Parts:
    """What a worker holds while it prepares one video after another."""

    settings: Settings
    detector: Detector
    representation: Representation
    checks: Checks

    @classmethod
    def build(cls, settings: Settings) -> Parts:
        """Build the detector and read the syncers.

        Raises:
            SpecError, CheckpointError: one of them does not fit.
            DetectorError: the detector does not work on this machine.
        """
        with building("detector"):
            detector, representation = _detector(settings)
        _try_out(detector)
        syncers = load_syncers(settings.syncers) if settings.syncers else None
        if syncers and (syncers.fps != FPS or syncers.representation.points != representation.points):
            got = f"{syncers.representation.name} at {syncers.fps:g}"
            raise SpecError("syncers", f"{representation.name} at {FPS} frames per second", got)
        return cls(settings, detector, representation, Checks(settings, representation, syncers))

    @torch.inference_mode()
    def find(self, shown: VideoFrame) -> Poses:
        """The faces ``[N, P, D]`` of a frame in pixels of the video; possibly none."""
        try:
            found = self.detector.detect(shown.picture)
        except DetectorError:
            return np.zeros((0, self.representation.points, self.representation.dims), np.float32)
        if shown.reduction > 1:
            unit = self.representation.normalize(found, UnitSquare(0, 0, 1))
            found = self.representation.denormalize(unit, UnitSquare(0, 0, shown.reduction))
        return np.asarray(found.numpy(), np.float32)


def prepare_video(path: Path, parts: Parts, output: StagedVideo, alive: Callable[[], None]) -> None:
    """Add the clips of one video, and what is refused of it, to ``output``; ``alive`` is called after every frame."""
    pieces = Pieces(parts.settings, parts.find)
    try:
        with open_video(path) as video:
            if not video.has_audio:
                output.refuse("no_audio")
                return
            _read(video, pieces, _Desk(parts, Speech(path, video.start), output), alive)
        if not pieces.count:
            output.refuse("no_face")
    except (ImageError, AudioError) as error:
        what = f"{'sound' if isinstance(error, AudioError) else 'picture'}: expected {error.expected}, got {error.got}"
        reason = "damaged" if pieces.seconds else "unreadable"
        output.refuse(reason, what=what, seconds=round(pieces.seconds, 2))


def _read(video: Video, pieces: Pieces, desk: _Desk, alive: Callable[[], None]) -> None:
    damage = None
    try:
        for shown in video.frames(FPS):
            desk.take(pieces.push(shown))
            desk.speech.forget(shown.index if pieces.oldest is None else pieces.oldest)
            alive()
    except ImageError as error:
        damage = error
    desk.take(pieces.end())
    if damage:
        raise damage


@dataclass(frozen=True)
class _Desk:
    """Where a piece is measured, and becomes a clip or is refused."""

    parts: Parts
    speech: Speech
    output: StagedVideo

    def take(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._take(piece)

    def _take(self, piece: Piece) -> None:
        track, checks = piece.track, self.parts.checks
        id = clip_id(self.output.source, piece.shot, piece.number)
        start = {"start_seconds": float(track.first / FPS)}
        figures, reason = checks.of_track(track)
        if not reason:
            wave = self.speech.under(track.first, len(track.poses))
            more, reason = checks.of_speech(track, wave)
            figures = {**figures, **more}
        if reason:
            self.output.refuse(reason, id, **start, **figures)
            return
        cropped = crop(track.poses, piece.size, self.parts.settings.crop, self.parts.representation)
        box = {"crop_box": list(cropped.box)} if cropped.box else {}
        self.output.add(id, cropped.poses, wave, cropped.size, {**start, **figures, **box})


def _detector(settings: Settings) -> tuple[Detector, Representation]:
    """The detector and what it finds: landmarks with depth, or without where it knows none."""
    for dims in (3, 2):
        spec = resolve_spec("representation", {"type": "landmarks68", "dims": dims})
        representation = cast("RepresentationSpec", spec).build()
        with contextlib.suppress(SpecError):
            return settings.detector.build(BuildContext(representation, 0)).eval(), representation
    return settings.detector.build(BuildContext(representation, 0)).eval(), representation


def _try_out(detector: Detector) -> None:
    """A detector that cannot work at all must not be taken for one that finds no face."""
    with as_file(files("headmotion") / "assets/portrait.png") as path:
        detector.detect(read_picture(path))
