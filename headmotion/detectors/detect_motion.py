"""The motion of one person in a picture or a video."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import DetectorError, ImageError
from ..core.interfaces.specs import BuildContext, DetectorSpec, RepresentationSpec, resolve_spec
from ..core.motion import Motion
from ..core.timing import Rate, as_fps
from ..media.file_kind import file_kind
from ..media.video_reader import open_video
from .reference_pose import Face, PoseFinder

_log = logging.getLogger("headmotion")


def detect_motion(
    path: str | os.PathLike[str],
    representation: RepresentationSpec | Mapping[str, Any] | str = "landmarks68",
    detector: DetectorSpec | dict[str, Any] | str | None = None,
    face: Face = "largest",
    fps: Rate = 25,
) -> Motion:
    """Find one person's motion in a video, or its pose in a picture as a motion of one frame, in pixels.

    Frames without a face between others are interpolated, and those before or after all others hold the nearest one; a
    warning says how many they are.

    Args:
        path: a picture or a video.
        representation: what the poses are: one that the detector gives, or that converters make of it.
        detector: see `detector_spec`; None means `face-mesh`.
        face: which of several faces in the first frame that shows one: ``largest``, or a number from 1, from the left.
        fps: frames per second of the motion, whatever the video's own rate is.

    Raises:
        ImageError: neither a picture nor a video, or damaged.
        DetectorError: no face anywhere, or none of that number.
        SpecError: nothing leads from what the detector gives to this representation.
    """
    source, rate = Path(path), as_fps(fps)
    try:
        kind = file_kind(source)
    except OSError as error:
        raise ImageError("detection", "a picture or a video", f"{source} ({error.strerror})") from None
    if kind not in ("picture", "video"):
        raise ImageError("detection", "a picture or a video", str(source))
    built = resolve_spec("representation", representation).build()
    finder = PoseFinder.build(detector, BuildContext(built, 0), face)
    poses = _poses_in_video(finder, source, rate) if kind == "video" else finder.in_picture_file(source)
    provenance = {"detector": finder.detector.spec.model_dump(mode="json"), "source": source.name}
    spec = built.spec.model_dump(mode="json")
    return Motion(poses, rate, spec, built.frame_of(poses), reference=poses[0], provenance=provenance)


@torch.inference_mode()
def _poses_in_video(finder: PoseFinder, path: Path, fps: Fraction) -> Tensor:
    """Return the poses ``[T, P, D]`` of all frames; those without a face are interpolated."""
    visible: dict[int, Tensor] = {}
    last = 0
    with open_video(path) as video:
        for last, pose in finder.follow(video.frames(fps)):
            if pose is not None:
                visible[last] = pose
    if not visible:
        raise DetectorError(f"detector {finder.detector.spec.type_name()}", "a face in the video", f"none in {path}")
    if len(visible) <= last:
        _log.warning("%d of %d frames show no face: their poses are interpolated", last + 1 - len(visible), last + 1)
    poses = torch.stack(list(visible.values()))
    columns = poses.flatten(1).double().numpy().T
    filled = np.stack([np.interp(np.arange(last + 1), np.fromiter(visible, np.int64), column) for column in columns])
    return torch.from_numpy(filled.T).float().reshape(last + 1, *poses.shape[1:])
