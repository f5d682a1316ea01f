"""An evaluation as one HTML file that needs no other."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from ..media.frames_writer import write_frames
from ..renderers.specs import SkeletonSpec
from ..reports.page import page
from .eval_clip import EvalClip
from .evaluator import Evaluation
from .metric_selection import NamedMetric
from .plots import TitledPicture, distributions, metric_curves, trajectories
from .ranking import RankedClip, rank_clips
from .report import MetricReport
from .tables import Table, collect_notes, source_table

VIDEO_PX = 240
"""Edge of each of the two pictures of a video."""


@dataclass(frozen=True)
class MetricSection:
    """One metric on the page."""

    name: str
    report: MetricReport
    table: Table
    notes: Sequence[tuple[str, str]]
    curves: Sequence[TitledPicture]
    distributions: Sequence[TitledPicture]


@dataclass(frozen=True)
class ClipSection:
    """One of the best or worst clips on the page."""

    ranked: RankedClip
    video: str
    plots: Sequence[TitledPicture]


def evaluation_page(evaluation: Evaluation) -> str:
    """Return the HTML of an evaluation.

    Raises:
        HeadmotionError: a package is missing.
    """
    return page(
        __package__,
        "page.html",
        report=evaluation.report,
        sections=[_metric_section(evaluation, item) for item in evaluation.metrics],
        rank=evaluation.rank,
        clips=_clip_sections(evaluation),
    )


def _metric_section(evaluation: Evaluation, item: NamedMetric) -> MetricSection:
    report = evaluation.report.metrics[item.name]
    curves, boxes = list(metric_curves(evaluation, item)), list(distributions(evaluation, item))
    return MetricSection(item.name, report, source_table(report), collect_notes(report.results), curves, boxes)


def _clip_sections(evaluation: Evaluation) -> list[ClipSection]:
    if not evaluation.rank:
        return []
    name, value = evaluation.rank.rsplit(".", 1)
    source = evaluation.sources[0]
    item = next(item for item in evaluation.metrics if item.name == name)
    sections = []
    for ranked in rank_clips(item, value, evaluation.observations[source.name, name]):
        clip, representation = evaluation.split.by_id(ranked.clip), evaluation.split.representation
        # Generated again, because keeping the motion of all clips would take memory for a few of them.
        motion = source.motion(clip)
        plots = list(trajectories(clip, motion, representation))
        sections.append(ClipSection(ranked, _video(clip, motion, representation), plots))
    return sections


def _video(clip: EvalClip, motion: Motion, representation: Representation) -> str:
    """Return an MP4 with sound as a data address: generated motion on the left, real motion on the right."""
    skeleton = SkeletonSpec(size=VIDEO_PX, line_width=1, point_radius=1).build(BuildContext(representation, 0))
    # Both motions have the same reference, so the renderer chooses the same view.
    frame_pairs = zip(*(skeleton.frames([m]) for m in (motion, clip.real)), strict=True)
    # The writer takes a path, and the page takes bytes.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        frames = (np.concatenate(pair, axis=1) for pair in frame_pairs)
        write_frames(frames, path, clip.real.fps, clip.audio, total=len(clip.real), quiet=True)
        return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"
