"""What is measured of pictures and of generated landmarks. The first frame, which methods are given, is left out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.interfaces.metric import Metric, PerClip

from .recording import Frames, Recording

Values = dict[str, float]
"""Values of a clip by column."""
PICTURE_METRICS: Mapping[str, tuple[dict[str, Any], str]] = {
    "SSIM": ({"type": "ssim"}, "ssim"),
    "PSNR (dB)": ({"type": "psnr"}, "psnr_db"),
    "lips SSIM": ({"type": "ssim", "group": "lips"}, "ssim"),
    "lips PSNR (dB)": ({"type": "psnr", "group": "lips"}, "psnr_db"),
    "lips LMD (px)": ({"type": "lmd-redetected", "every": 5}, "lmd_redetected_px"),
}
"""Metrics by column, with the name of the value that is shown."""
SHARPNESS = "lips sharpness"
"""Variance of the Laplacian around the lips, over that of the recording."""
PICTURE_COLUMNS = (*PICTURE_METRICS, SHARPNESS)
MOTION_METRICS: Mapping[str, tuple[dict[str, Any], str]] = {
    "opening: correlation": ({"type": "opening"}, "correlation"),
    "lips LMD (px)": ({"type": "lmd"}, "lmd_px"),
}
MOTION_COLUMNS = tuple(MOTION_METRICS)
MARGIN = 4
"""Pixels around the lips whose sharpness counts."""


def measure_pictures(recording: Recording, pictures: Frames) -> Values:
    """Measure drawn pictures ``[T, H, W, 3]`` of a recording."""
    real, poses = recording.frames[1:], recording.poses[1:]
    drawn = torch.from_numpy(pictures[1:]).permute(0, 3, 1, 2)
    motion = hm.Motion(poses, recording.fps)
    clip = hm.MetricInput(recording.name, motion, motion, pictures=hm.PicturePair(drawn, real, poses))
    return _values(PICTURE_METRICS, clip) | {SHARPNESS: sharpness(drawn, poses) / sharpness(real, poses)}


def measure_motion(recording: Recording, motion: hm.Motion) -> Values:
    """Measure generated landmarks of a recording, in pixels of its pictures."""
    return _values(MOTION_METRICS, hm.MetricInput(recording.name, motion, recording.motion))


def sharpness(pictures: Tensor, poses: Tensor) -> float:
    """Return the variance of the Laplacian of pictures ``uint8 [T, 3, H, W]`` around the lips, the mean over frames."""
    lips = poses[:, 48:]
    left, top = (max(0, int(edge)) for edge in lips.amin((0, 1)) - MARGIN)
    right, bottom = (int(edge) + 1 for edge in lips.amax((0, 1)) + MARGIN)
    gray = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures.permute(0, 2, 3, 1).contiguous().numpy()]
    return float(np.mean([cv2.Laplacian(picture, cv2.CV_64F)[top:bottom, left:right].var() for picture in gray]))


def protocol() -> dict[str, Any]:
    """Return everything that two values must share to be comparable."""
    return {spec["type"] + spec.get("group", ""): dict(_metric(name).protocol) for name, (spec, _) in _ALL.items()}


_ALL = {f"pictures {name}": value for name, value in PICTURE_METRICS.items()} | {
    f"motion {name}": value for name, value in MOTION_METRICS.items()
}


def _values(metrics: Mapping[str, tuple[dict[str, Any], str]], clip: hm.MetricInput) -> Values:
    kind = "pictures" if metrics is PICTURE_METRICS else "motion"
    values = {}
    for name, (_, key) in metrics.items():
        metric = _metric(f"{kind} {name}")
        assert isinstance(metric, PerClip)
        value = metric.per_clip(metric.observe(clip)).get(key)
        if value is not None:
            values[name] = value
    return values


@functools.cache
def _metric(name: str) -> Metric:
    representation = hm.resolve_spec("representation", {"type": "landmarks68"}).build()
    return hm.resolve_spec("metric", _ALL[name][0]).build(hm.BuildContext(representation, 26))
