"""From one video to clips: it is read once, in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from ..core.errors import AudioError, ImageError
from ..core.interfaces.detector import Detection, SupportsLabels, SupportsTracking
from ..core.outputs import checked_detections
from ..detectors.reference_pose import enlarge
from ..media.video_reader import Video, VideoFrame, open_video
from .aligned_audio import AlignedAudio
from .crop import CROP_SIZE, crop
from .face_pictures import PictureCut, stage_pictures
from .face_segments import FaceSegment, FaceSegmenter
from .face_tracks import Labels, Poses
from .find_videos import clip_id, sound_of
from .settings import FPS
from .staging import StagedVideo
from .worker_resources import WorkerResources


class FaceFinder:
    """Finds the faces of one video's frames; where the detector can, they are followed from frame to frame."""

    def __init__(self, resources: WorkerResources) -> None:
        self._detector, self._points = resources.detector, resources.points
        self._labels = resources.settings.labels
        self._tracker = self._detector.tracker() if isinstance(self._detector, SupportsTracking) else None

    @torch.inference_mode()
    def detect_faces(self, frame: VideoFrame) -> tuple[Poses, Labels]:
        """Return the faces ``[N, Q, 2 or 3]`` of the next frame in pixels of the video; N may be 0.

        The second array is what `WorkerResources.split` divides: motion that is no points, and labels.
        """
        picture = frame.picture
        outputs = self._detector.detect([picture]) if self._tracker is None else [self._tracker.push(picture)]
        (detections,) = checked_detections(self._detector, outputs, 1)
        # Large pictures were reduced while they were decoded.
        points = enlarge(self._points(detections), frame.reduction, self._points.representation)
        return np.asarray(points.numpy(), np.float32), self._values(detections)

    def begin_shot(self) -> None:
        """Forget the faces of the last frame."""
        if self._tracker is not None:
            self._tracker.restart()

    def _values(self, detections: Sequence[Detection]) -> Labels:
        """Return what is kept of detections besides their points, ``[N, V]``."""
        values = []
        if detections and not self._points.are_poses:
            values.append(torch.stack([detection.pose.flatten() for detection in detections]))
        if detections and self._labels and isinstance(self._detector, SupportsLabels):
            values.append(self._detector.labels(detections))
        if not values:
            return np.zeros((len(detections), 0), np.float32)
        return np.asarray(torch.cat(values, dim=1).numpy(), np.float32)


def process_video(path: Path, resources: WorkerResources, output: StagedVideo, heartbeat: Callable[[], None]) -> None:
    """Add the clips of one video, and its rejections, to ``output``; ``heartbeat`` is called after every frame."""
    finder, settings = FaceFinder(resources), resources.settings
    cuts: list[PictureCut] = []
    if settings.labels and isinstance(resources.detector, SupportsLabels):
        output.label_names = resources.detector.label_names
    segmenter = FaceSegmenter(settings, finder.detect_faces, finder.begin_shot)
    try:
        with open_video(path) as video:
            sound, start = (path, video.start) if video.has_audio else (sound_of(path), Fraction(0))
            if sound is None:
                output.reject("no_audio")
                return
            writer = _SegmentWriter(resources, AlignedAudio(sound, start), output, cuts)
            _write_segments(video, segmenter, writer, heartbeat)
        if not segmenter.count:
            output.reject("no_face")
    except (ImageError, AudioError) as error:
        what = f"{'sound' if isinstance(error, AudioError) else 'picture'}: expected {error.expected}, got {error.got}"
        reason = "damaged" if segmenter.seconds else "unreadable"
        output.reject(reason, what=what, seconds=round(segmenter.seconds, 2))
    if cuts and settings.frames is not None:
        stage_pictures(path, cuts, output, settings.frames, settings.frame_quality, heartbeat)


def _write_segments(
    video: Video, segmenter: FaceSegmenter, writer: _SegmentWriter, heartbeat: Callable[[], None]
) -> None:
    damage = None
    try:
        for frame in video.frames(FPS):
            writer.write(segmenter.push(frame))
            # Samples are kept only from the start of the oldest open track.
            writer.audio.discard_before(frame.index if segmenter.oldest_frame is None else segmenter.oldest_frame)
            heartbeat()
    except ImageError as error:
        damage = error
    # What came before the damage is good.
    writer.write(segmenter.flush())
    if damage:
        raise damage


@dataclass(frozen=True)
class _SegmentWriter:
    """Measures face segments, and writes each as a clip or as a rejection."""

    resources: WorkerResources
    audio: AlignedAudio
    output: StagedVideo
    cuts: list[PictureCut]
    """The pictures that are to be cut from the video later."""

    def write(self, segments: Iterable[FaceSegment]) -> None:
        for segment in segments:
            self._write_segment(segment)

    def _write_segment(self, segment: FaceSegment) -> None:
        track, resources = segment.track, self.resources
        id = clip_id(self.output.source, segment.shot, segment.number)
        start = {"start_seconds": float(track.first_frame / FPS)}
        measured, reason = resources.filters.check_track(track)
        motion, labels = resources.split(track)
        if not reason:
            wave = self.audio.read(track.first_frame, len(track.poses))
            in_video = track.poses if motion is None else motion
            measured_audio, reason = resources.filters.check_audio(in_video, wave)
            measured = {**measured, **measured_audio}
        if reason:
            self.output.reject(reason, id, **start, **measured)
            return
        settings = resources.settings
        edge = settings.frames or CROP_SIZE
        cropped = crop(track.poses, segment.size, settings.crop, resources.points.representation, edge)
        box = {"crop_box": list(cropped.box)} if cropped.box else {}
        if settings.frames is not None and cropped.box:
            number = len(self.output.clips)
            self.cuts.append(PictureCut(number, track.first_frame, len(track.poses), cropped.box))
        # Motion that has no place in the video has none in a crop of it either.
        values = cropped.poses if motion is None else motion
        self.output.add(id, values, wave, cropped.size, {**start, **measured, **box}, labels)
