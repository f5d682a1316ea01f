"""A corpus examined before training: what is in it, what is damaged, and what would spoil a model unnoticed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ...reports.page import check_installed
from ..corpus import list_corpus
from ..rejected import RejectedClip
from . import findings
from .av_offsets import GroupOffset, Method, by_syncers, clear_offset, group_offsets, method_of
from .findings import Finding
from .measure import Examined, damaged_files, examine, representation_in
from .report import Report

__all__ = ["Finding", "Report", "inspect_corpus"]

LEVELS = ("error", "warning", "note")


def inspect_corpus(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    syncers: str | os.PathLike[str] | None = None,
    quiet: bool = True,
) -> Report:
    """Examine a corpus of either layout. Damage is told, not raised.

    Args:
        path: the corpus folder.
        output: HTML file to write, too; needs ``pip install 'headmotion[report]'``.
        syncers: the ``syncers.safetensors`` of a training run, to measure how far audio and motion are apart. Without
            them it is what preparation noted, or else found by comparing loudness with the opening of the mouth.
        quiet: no progress bar.

    Raises:
        CorpusError: no corpus, an index that cannot be read, no clip that can be read, a missing package, or syncers
            of another representation.
        CheckpointError: ``syncers`` is no file of syncers.
    """
    if output is not None:
        check_installed()
    folder = Path(path)
    entries, refused = list_corpus(folder)
    representation = representation_in(folder, entries)
    measure = None if syncers is None else by_syncers(syncers, representation)
    files = list(damaged_files(folder))
    console = Console(stderr=True)  # what is printed besides may be read by a program
    examined = examine(entries, representation, measure)
    every = list(track(examined, "clips", len(entries), console=console, disable=quiet))
    clips = [each for each in every if isinstance(each, Examined)]
    damaged = [*refused, *(each for each in every if isinstance(each, RejectedClip))]
    method: Method = "syncers" if syncers is not None else method_of(clips)
    offsets = [clear_offset(each, method) for each in clips]
    groups = group_offsets(clips, offsets, method)
    found = sorted(_findings(clips, files, damaged, groups, method), key=lambda each: LEVELS.index(each.level))
    spec = representation.spec.model_dump(mode="json")
    report = Report(str(folder), spec, tuple(found), clips, damaged, method, offsets, groups)
    if output is not None:
        report.save(output)
    return report


def _findings(
    clips: Sequence[Examined],
    files: Sequence[RejectedClip],
    damaged: Sequence[RejectedClip],
    groups: Sequence[GroupOffset],
    method: Method,
) -> Iterator[Finding]:
    yield from findings.damage(files, damaged)
    if clips:
        yield from findings.in_the_index(clips)
        yield from findings.in_the_offsets(groups, method, clips[0].frames / clips[0].seconds)
        yield from findings.in_the_clips(clips)
        yield from findings.outliers(clips)
