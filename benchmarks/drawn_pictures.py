"""Pictures made from others by drawing: what people wear, light, paintings, crops; and a cartoon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""A picture ``[H, W, 3]``."""
Points = npt.NDArray[np.float32]
"""Landmarks ``[68, 2]`` in pixels."""


def glasses(picture: Pixels, pose: Points) -> Pixels:
    """Draw dark round glasses."""
    centers = [pose[36:42].mean(axis=0), pose[42:48].mean(axis=0)]
    radius = float(np.linalg.norm(pose[39] - pose[36])) * 0.95
    line = max(2, round(radius / 6))
    for center, side, ear in zip(centers, (-1, 1), (pose[0], pose[16]), strict=True):
        cv2.circle(picture, _at(center), round(radius), (25, 20, 20), line, cv2.LINE_AA)
        cv2.line(
            picture,
            _at(center + np.array((side * radius, 0))),
            _at(ear - (0, radius / 2)),
            (25, 20, 20),
            line,
            cv2.LINE_AA,
        )
    ends = [_at(center + np.array((side * radius, 0))) for center, side in zip(centers, (1, -1), strict=True)]
    cv2.line(picture, ends[0], ends[1], (25, 20, 20), line, cv2.LINE_AA)
    return picture


def beard(picture: Pixels, pose: Points) -> Pixels:
    """Draw a brown beard with hairs, around the mouth."""
    mask = np.zeros(picture.shape[:2], np.float32)
    outline = np.concatenate([pose[2:15], pose[[35, 33, 31]]])
    outline[3:10, 1] += 0.12 * np.ptp(pose[:, 1])
    cv2.fillPoly(mask, [outline.astype(np.int32)], 1.0)
    cv2.fillPoly(mask, [pose[48:60].astype(np.int32)], 0.0)
    blur = 0.03 * float(np.ptp(pose[:, 0]))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)[..., None]
    hairs = cv2.GaussianBlur(np.random.default_rng(0).normal(size=picture.shape[:2]), (0, 0), 0.7, sigmaY=3)
    color = np.array((70, 48, 32)) + 60 * hairs[..., None]
    return _pixels(picture * (1 - 0.92 * mask) + 0.92 * mask * color)


def hat(picture: Pixels, pose: Points) -> Pixels:
    """Draw a dark hat with a brim."""
    face, brows = float(np.ptp(pose[:, 0])), pose[17:27].mean(axis=0)
    middle = brows - (0, 0.28 * face)
    cv2.rectangle(
        picture, _at(middle - (0.52 * face, 0.7 * face)), _at(middle + np.array((0.52 * face, 0))), (45, 40, 60), -1
    )
    cv2.ellipse(
        picture, _at(middle), (round(0.95 * face), round(0.14 * face)), 0, 0, 360, (35, 30, 48), -1, cv2.LINE_AA
    )
    return picture


def hand(picture: Pixels, pose: Points) -> Pixels:
    """Draw fingers on the cheek."""
    face = float(np.ptp(pose[:, 0]))
    skin = np.median(picture[_rows(pose[[1, 2, 31]])], axis=(0, 1))
    for finger in range(4):
        tip = pose[13] - (0.18 * face - 0.11 * finger * face, 0.12 * face * (1 - abs(finger - 1.5) / 3))
        root = tip + np.array((0.25 * face, 0.8 * face))
        for width, shade in ((0.125, 0.62), (0.1, 0.95)):
            color = tuple(float(value) for value in skin * shade)
            cv2.line(picture, _at(tip), _at(root), color, max(1, round(width * face)), cv2.LINE_AA)
    return picture


def side_light(picture: Pixels, pose: Points) -> Pixels:
    """Light one half of the face and leave the other nearly dark."""
    x = (np.arange(picture.shape[1]) - pose[30, 0]) / np.ptp(pose[:, 0])
    return _pixels(picture * (0.12 + 1.2 / (1 + np.exp(9 * x)))[None, :, None])


def dim(picture: Pixels, pose: Points) -> Pixels:
    """Take the light, and add the noise of a dark room."""
    noise = np.random.default_rng(0).normal(scale=9, size=picture.shape)
    return _pixels(picture * 0.22 + noise)


def painting(picture: Pixels, pose: Points) -> Pixels:
    """Paint in broad strokes on a coarse canvas."""
    flat = cv2.stylization(picture, sigma_s=40, sigma_r=0.5)
    canvas = cv2.GaussianBlur(np.random.default_rng(0).normal(size=picture.shape[:2]), (0, 0), 0.8)
    return _pixels(np.asarray(flat, np.float32) * (1 + 0.12 * canvas[..., None]))


def comic(picture: Pixels, pose: Points) -> Pixels:
    """Reduce to few colors with black lines."""
    flat = cv2.bilateralFilter(picture, 9, 60, 9)
    gray = cv2.medianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 4)
    return _pixels((np.asarray(flat, np.int32) // 40 * 40 + 20) * (lines[..., None] > 0))


def sketch(picture: Pixels, pose: Points) -> Pixels:
    """Draw with a pencil on white paper."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    lines = np.clip(gray / np.maximum(cv2.GaussianBlur(gray, (0, 0), 6), 1) * 250, 0, 255)
    return _pixels(np.repeat(lines[..., None], 3, axis=2))


def coarse(picture: Pixels, pose: Points) -> Pixels:
    """Keep about 24 pixels between the outer eye corners, and enlarge them again."""
    factor = 24 / float(np.linalg.norm(pose[45] - pose[36]))
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def cropped(left: float, right: float, top: float, bottom: float) -> Callable[[Pixels, Points], Pixels]:
    """Return a change that crops, in units of the landmarks' box from its corner."""

    def change(picture: Pixels, pose: Points) -> Pixels:
        corner, size = pose.min(axis=0), float(np.ptp(pose, axis=0).max())
        x0, y0 = (corner + np.array((left, top)) * size).clip(0).astype(int)
        x1, y1 = (corner + np.array((right, bottom)) * size).astype(int)
        return np.ascontiguousarray(picture[y0:y1, x0:x1])

    return change


def cartoon() -> Pixels:
    """Draw a face as children do."""
    picture = np.full((400, 400, 3), (150, 200, 235), np.uint8)
    skin, dark = (246, 205, 170), (60, 40, 35)
    cv2.ellipse(picture, (200, 190), (128, 140), 0, 0, 360, (120, 70, 30), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (200, 220), (105, 125), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for x in (158, 242):
        cv2.ellipse(picture, (x, 200), (24, 17), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 200), 11, (70, 110, 60), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 200), 5, (10, 10, 10), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, 200), (25, 18), 0, 180, 360, dark, 3, cv2.LINE_AA)
        cv2.ellipse(picture, (x, 178), (28, 9), 0, 190, 350, dark, 5, cv2.LINE_AA)
    cv2.line(picture, (200, 205), (192, 250), (205, 150, 120), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (200, 251), (13, 6), 0, 0, 180, (205, 150, 120), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (200, 284), (38, 12), 0, 0, 360, (200, 90, 90), -1, cv2.LINE_AA)
    cv2.line(picture, (164, 284), (236, 284), (110, 30, 35), 2, cv2.LINE_AA)
    return picture


def _rows(points: Points) -> tuple[slice, slice]:
    low, high = points.min(axis=0).astype(int), points.max(axis=0).astype(int) + 2
    return slice(low[1], high[1]), slice(low[0], high[0])


def _at(point: Points) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _pixels(values: npt.NDArray[Any]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)
