"""A corpus whose motion is landmarks becomes one whose motion is action units; pictures and speech stay as they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.progress import track
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards

from .conversion import blendshapes_to_units
from .facs import PARTING, SPEECH_UNITS
from .landmark_units import landmarks_to_units, resting_face
from .openface import read_openface
from .specs import ActionUnitsSpec
from .steady_pictures import steady

Source = Literal["geometry", "blendshapes", "openface"]
"""``geometry``: distances of landmarks from the clip's own face at rest. ``blendshapes``: those of the detector,
kept by ``headmotion prepare --labels`` or found in the pictures; lips part as the landmarks say. ``openface``: a CSV
file per clip."""
SOURCES: tuple[Source, ...] = get_args(Source)
LANDMARKS = 68
"""Points of the corpora that are labeled."""
MAX_LOST = 0.2
"""Largest share of pictures of a clip in which no face is found; their blend shapes are those of the frame before."""


def label_corpus(
    corpus: str | os.PathLike[str],
    output: str | os.PathLike[str],
    source: Source = "geometry",
    units: Sequence[str] = SPEECH_UNITS,
    openface: str | os.PathLike[str] | None = None,
    quiet: bool = False,
    hold_head: bool = False,
) -> Path:
    """Write a corpus with action units as its motion.

    Args:
        corpus: folder of a corpus of 68 landmarks.
        output: folder of the new one.
        source: where the units come from.
        units: their names.
        openface: folder with ``ID.csv`` for each clip, for the source ``openface``.
        quiet: no progress bar.
        hold_head: whether pictures are moved so that the head stays where it is (`steady_pictures`).

    Raises:
        CorpusError: no corpus, or pictures or labels that are missing.
        MotionError: units that the source does not give, or a CSV file that cannot be used.
        SpecError: units that are none.
    """
    opened, spec = open_corpus(os.fspath(corpus)), ActionUnitsSpec(units=tuple(units))
    label = _labeler(source, spec.units, openface)

    def labeled() -> Iterator[Clip]:
        for index in track(range(len(opened)), "label", len(opened), quiet=quiet):
            clip = opened[index]
            _check_landmarks(clip)
            shown = steady(clip) if hold_head else clip
            # Units have no place in the picture, so nothing of where the pictures were cut remains.
            yield replace(shown, landmarks=label(clip)[..., None].numpy(), picture_box=None)

    return write_shards(output, labeled(), representation=spec)


def _check_landmarks(clip: Clip) -> None:
    points = clip.landmarks.shape[1]
    if points != LANDMARKS:
        remedy = "label the corpus of landmarks that it was made of"
        raise hm.CorpusError(f"clip {clip.id}", f"{LANDMARKS} landmarks", f"{points} points", remedy)


def _labeler(
    source: Source, units: tuple[str, ...], openface: str | os.PathLike[str] | None
) -> Callable[[Clip], Tensor]:
    if source == "geometry":
        return lambda clip: units_from_geometry(clip, units)
    if source == "blendshapes":
        detector = hm.resolve_spec("detector", "face-mesh").build(
            hm.BuildContext(hm.resolve_spec("representation", "blendshapes").build(), 0)
        )
        return lambda clip: units_from_shapes(clip, units, detector)
    if source != "openface" or openface is None:
        expected = f"a source among {', '.join(SOURCES)}, and a folder of files for openface"
        raise hm.SpecError("labels", expected, f"{source!r} and {openface!r}")
    folder = Path(openface)
    return lambda clip: units_from_openface(clip, units, folder / f"{clip.id}.csv")


def units_from_geometry(clip: Clip, units: Sequence[str]) -> Tensor:
    """Return intensities ``[T, N]`` of the clip's 68 landmarks, relative to its frames with closed lips."""
    poses = torch.from_numpy(clip.landmarks[..., :2].copy())
    return landmarks_to_units(poses, resting_face(poses), units)[..., 0]


def units_from_shapes(clip: Clip, units: tuple[str, ...], detector: hm.Detector) -> Tensor:
    """Return intensities ``[T, N]`` of the clip's blend shapes, found in its pictures where it has none as labels.

    Raises:
        CorpusError: neither labels nor pictures, or pictures without a face.
    """
    names = hm.resolve_spec("representation", "blendshapes").build().point_names
    if set(names) <= set(clip.label_names) and clip.labels is not None:
        shapes = torch.from_numpy(clip.labels[:, [clip.label_names.index(name) for name in names]])
    else:
        shapes = detect_shapes(clip, detector)
    values = blendshapes_to_units(shapes, names, units)
    if PARTING in units:
        values[:, units.index(PARTING)] = units_from_geometry(clip, [PARTING])[:, 0]
    return values


def detect_shapes(clip: Clip, detector: hm.Detector) -> Tensor:
    """Return the blend shapes ``[T, 52]`` that a detector of them finds in the clip's pictures.

    Raises:
        CorpusError: there are no pictures, or faces in too few of them.
    """
    if clip.frames is None:
        remedy = "headmotion prepare --labels, or --frames"
        raise hm.CorpusError(f"clip {clip.id}", "blend shapes as labels, or pictures", "neither", remedy)
    pictures = clip.frames.read().transpose(0, 2, 3, 1)
    tracker = detector.tracker() if isinstance(detector, hm.SupportsTracking) else None
    rows: list[Tensor | None] = []
    for picture in np.ascontiguousarray(pictures):
        detections = detector.detect([picture])[0] if tracker is None else tracker.push(picture)
        rows.append(detections[0].pose[:, 0] if detections else None)
    known = [row for row in rows if row is not None]
    if len(known) < (1 - MAX_LOST) * len(rows):
        raise hm.CorpusError(f"clip {clip.id}", "a face in nearly all pictures", f"{len(known)} of {len(rows)}")
    last = known[0]
    return torch.stack([last := last if row is None else row for row in rows])


def units_from_openface(clip: Clip, units: Sequence[str], path: Path) -> Tensor:
    """Return intensities ``[T, N]`` of a CSV file at the times of the clip's frames."""
    times = np.arange(len(clip.landmarks)) / float(clip.fps)
    return torch.from_numpy(read_openface(path, units).at(times))
