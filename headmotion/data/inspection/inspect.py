"""The inspection of a corpus, from its files to a report."""

from __future__ import annotations

import os

from ...core.claims import claimed_output
from ...core.progress import track
from ...reports.page import check_installed
from ..corpus import list_corpus
from ..corpus_files import corpus_files
from ..rejected import RejectedClip
from .av_offsets import OffsetMethod, choose_offset_method, clear_offset, group_offsets, make_offset_measure
from .corpus_report import CorpusReport
from .findings import collect_findings
from .measure import MeasuredClip, find_damaged_files, measure_clips, resolve_representation


def inspect_corpus(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    syncers: str | os.PathLike[str] | None = None,
    quiet: bool = True,
) -> CorpusReport:
    """Inspect a corpus of either layout. Problems are reported, not raised.

    Args:
        path: the corpus folder.
        output: HTML file to write as well; needs ``pip install 'headmotion[report]'``.
        syncers: the ``syncers.safetensors`` of a training run, which measure the offset of audio and motion. Without
            them the offset is what preparation noted, or else found by comparing loudness with the opening of the
            mouth.
        quiet: no progress bar.

    Raises:
        CorpusError: no corpus, an index that cannot be read, no clip that can be read, a missing package, or syncers
            of another representation.
        CheckpointError: ``syncers`` is no file of syncers.
        HeadmotionError: another process is writing the output.
    """
    if output is None:
        return _measured(path, syncers, quiet)
    check_installed()  # before the work, which may take hours; so is the claim
    with claimed_output(output):
        report = _measured(path, syncers, quiet)
        report.save(output)
    return report


def _measured(path: str | os.PathLike[str], syncers: str | os.PathLike[str] | None, quiet: bool) -> CorpusReport:
    """Return the report of a corpus; arguments as in `inspect_corpus`."""
    files = corpus_files(path)
    corpus, rejected = list_corpus(files)
    entries = corpus.entries
    representation = resolve_representation(files, entries)
    measure = None if syncers is None else make_offset_measure(syncers, representation)
    # Clips of a damaged shard may still be readable, so both are reported.
    damaged_files = list(find_damaged_files(files))
    clips: list[MeasuredClip] = []
    damaged: list[RejectedClip] = list(rejected)
    for clip in track(measure_clips(entries, representation, measure), "clips", len(entries), quiet=quiet):
        if isinstance(clip, MeasuredClip):
            clips.append(clip)
        else:
            damaged.append(clip)
    method: OffsetMethod = "syncers" if syncers is not None else choose_offset_method(clips)
    offsets = [clear_offset(clip, method) for clip in clips]
    groups = group_offsets(clips, offsets, method)
    findings = collect_findings(damaged_files, damaged, clips, groups, method)
    spec = representation.spec.model_dump(mode="json")
    return CorpusReport(files.name, spec, tuple(findings), clips, damaged, method, offsets, groups)
