"""From a folder of landmarks and sound files to a corpus in shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import CorpusError, HeadmotionError
from ..core.interfaces.specs import RepresentationSpec, resolve_spec
from ..core.progress import track
from . import pair_format, pair_index
from .clip import Clip, sample_count
from .corpus import list_corpus
from .corpus_files import LocalFiles
from .infer_representation import infer_representation
from .landmark_files import SOUND_SUFFIXES, find_ids, read_clip
from .pictures import QUALITY
from .rejected import RejectedClip
from .shard_builder import check_fits
from .shard_header import HEADER
from .shard_writer import SHARD_BYTES, write_shards
from .split import split_of
from .video_frames import scaled_pictures

ReadClip = Callable[[], Clip]


def import_folder(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    quiet: bool = False,
    *,
    representation: RepresentationSpec | Mapping[str, Any] | str | None = None,
    speaker_of: Callable[[str], str] | None = None,
    val: float = 0.1,
    fps: Fraction | int | float | str = 25,
    license: str = "",
    distribute: bool = False,
    shard_bytes: int = SHARD_BYTES,
    frames: int | None = None,
    frame_quality: int = QUALITY,
    made_from: str = "",
) -> Path:
    """Write the clips of a landmark folder as a corpus in shards; damaged clips are listed in its ``rejected.jsonl``.

    A folder with ``index.csv`` (or another corpus) keeps its ids, speakers and splits. In any other folder each
    ``ID.npz`` with ``ID.flac`` or ``ID.wav``, also in subfolders, is a clip: its id is the path without the suffix.
    The sound may have any rate, and may be up to a frame longer or shorter than the landmarks, which is corrected at
    its end. ``ID.mp4`` next to them is kept as pictures, with the landmarks in the same pixels.

    Args:
        source: the folder.
        output: the corpus folder to write.
        quiet: no progress bar.
        representation: what the landmarks are in; None: inferred from their shape.
        speaker_of: returns the speaker of an id, where there is no index; None: all speakers are unknown (``""``).
        val: share of speakers in the split ``val``, where there is no index.
        fps: frame rate of the corpus; clips of another rate are resampled, and their ``checks`` name that rate.
        license: license of the media, where no index says.
        distribute: whether trained weights may be given away, where no index says.
        shard_bytes: size at which a shard is closed.
        frames: longer edge of pictures in pixels; clips without pictures are left out, with a line in
            ``rejected.jsonl``. None: pictures are kept in the size that they have if all clips have some.
        frame_quality: quality of pictures that are scaled or come from a video, 1 to 100.
        made_from: as in `write_shards`.

    Raises:
        CorpusError: no usable clip, or ``output`` is a corpus already or is being written by another process.
        SpecError: an unknown representation.
    """
    from ..core.timing import as_fps

    folder = Path(source)
    readers, rejected, have_pictures = _find_clips(folder, speaker_of, val, license, distribute)
    if not readers:
        got = rejected[0].reason if rejected else f"none in {folder}"
        files = " or ".join(f"ID{suffix}" for suffix in SOUND_SUFFIXES)
        raise CorpusError("folder", f"clips (ID.npz with {files})", got)
    described = _infer_from_first(readers.values()) if representation is None else representation
    spec = resolve_spec("representation", described)
    # Clips are read while the corpus is written, one at a time; `rejected` is complete only after that.
    clips = _usable_clips(readers, spec, as_fps(fps), rejected, folder, quiet)
    if frames is None and not have_pictures:
        clips = (replace(clip, frames=None, picture_box=None) for clip in clips)
    else:
        clips = _with_pictures(clips, frames, frame_quality, rejected, folder)
    try:
        return write_shards(
            output,
            clips,
            representation=spec,
            shard_bytes=shard_bytes,
            frame_quality=frame_quality,
            rejected=rejected,
            made_from=made_from,
        )
    except CorpusError:
        # If all clips were rejected, the reason of the first says more than that there were none.
        if not {clip.clip for clip in rejected} >= readers.keys():
            raise
        got = f"none of {len(rejected)} in {folder}, the first because of: {rejected[0].reason}"
        raise CorpusError("folder", "at least one usable clip", got) from None


def _find_clips(
    folder: Path, speaker_of: Callable[[str], str] | None, val: float, license: str, distribute: bool
) -> tuple[dict[str, ReadClip], list[RejectedClip], bool]:
    """Return what reads each clip, by id, the rows of an index that are no clips, and whether all have pictures."""
    if (folder / HEADER).exists() or (folder / pair_index.INDEX).exists():
        corpus, rejected = list_corpus(LocalFiles(folder), license, distribute)
        return {entry.id: entry.read for entry in corpus.entries}, rejected, "frames" in corpus.tracks

    def read(id: str) -> Clip:
        speaker = speaker_of(id) if speaker_of else ""
        clip = read_clip(folder, id)
        return replace(clip, speaker=speaker, split=split_of(speaker, val), license=license, distribute=distribute)

    readers: dict[str, ReadClip] = {id: partial(read, id) for id in find_ids(folder)}
    return readers, [], all((folder / pair_format.video_name(id)).exists() for id in readers)


def _usable_clips(
    readers: Mapping[str, ReadClip],
    spec: RepresentationSpec,
    fps: Fraction,
    rejected: list[RejectedClip],
    folder: Path,
    quiet: bool,
) -> Iterator[Clip]:
    """Yield the clips that fit; the others are added to ``rejected``."""
    representation = spec.build(None)
    for id, read in track(readers.items(), "clips", quiet=quiet):
        try:
            clip = _resample(read(), fps)
            # Depth that the representation does not have is left out.
            clip = replace(clip, landmarks=clip.landmarks[..., : representation.dims])
            check_fits(clip, representation)
        except HeadmotionError as error:
            rejected.append(RejectedClip(id, error, str(folder)))
            continue
        yield clip


def _with_pictures(
    clips: Iterable[Clip], edge: int | None, quality: int, rejected: list[RejectedClip], folder: Path
) -> Iterator[Clip]:
    """Yield clips with encoded pictures; those without, or with damaged ones, are added to ``rejected``."""
    for clip in clips:
        try:
            if clip.frames is None:
                raise CorpusError(f"clip {clip.id}", f"pictures, such as {pair_format.video_name('ID')}", "none")
            yield replace(clip, **scaled_pictures(clip.frames, clip.picture_box, edge, quality))
        except HeadmotionError as error:
            rejected.append(RejectedClip(clip.id, error, str(folder)))


def _infer_from_first(readers: Iterable[ReadClip]) -> RepresentationSpec:
    """Infer the representation from the first clip that can be read."""
    first_error: HeadmotionError | None = None
    for read in readers:
        try:
            return infer_representation(read().landmarks.shape)
        except HeadmotionError as error:
            first_error = first_error or error
    assert first_error is not None
    raise CorpusError("folder", "at least one usable clip", str(first_error))


def _resample(clip: Clip, fps: Fraction) -> Clip:
    """Return the clip at another frame rate: landmarks by time stamp, speech up to half a frame shorter or longer."""
    import torch

    from ..core.timing import frame_count, resample_frames

    if clip.fps == fps:
        return clip
    if clip.frames is not None or clip.labels is not None:
        remedy = f"name the rate {clip.fps}"
        raise CorpusError(f"clip {clip.id}", f"{fps} frames per second with pictures or labels", str(clip.fps), remedy)
    total = frame_count(len(clip.landmarks) / clip.fps, fps)
    if not total:
        raise CorpusError(f"clip {clip.id}", f"at least half a frame at {fps} fps", f"{clip.seconds:.3f} s")
    # A copy, because torch warns of arrays that cannot be written to.
    landmarks = resample_frames(torch.from_numpy(clip.landmarks.copy()), clip.fps, fps, total).numpy()
    expected_samples = sample_count(total, fps)
    audio = np.pad(clip.audio[:expected_samples], (0, max(0, expected_samples - len(clip.audio))))
    checks = {**clip.checks, "source_fps": str(clip.fps)}
    return replace(clip, landmarks=landmarks, audio=audio, fps=fps, checks=checks)
