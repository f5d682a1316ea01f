"""From a folder of landmarks and sound files to a corpus in shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console
from rich.progress import track

from ..core.errors import CorpusError, HeadmotionError
from ..core.interfaces.specs import RepresentationSpec
from ..core.npz import as_float32, read_arrays
from ..core.spec import resolve_spec
from . import pair_format as pairs
from .clip import SAMPLE_RATE, Clip, check_values, samples_of
from .corpus import list_corpus
from .infer_representation import representation_of
from .rejected import Refused, write_refused
from .shard_header import HEADER
from .shard_writer import SHARD_BYTES, check_fits, write_shards
from .split import split_of

SOUNDS = (".flac", ".wav")

Read = Callable[[], Clip]


def prepare_folder(
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
) -> Path:
    """Write the clips of a landmark folder as a corpus in shards; those that are damaged are in its ``refused.jsonl``.

    A folder with ``index.csv`` (or another corpus) keeps its ids, speakers and splits. In any other folder each
    ``ID.npz`` with ``ID.flac`` or ``ID.wav``, below subfolders too, is a clip: its id is the path without the suffix,
    the sound may have any rate, and may be up to a frame longer or shorter than the landmarks, which is mended at its
    end.

    Args:
        source: the folder.
        output: the corpus folder to write.
        quiet: no progress bar.
        representation: what the landmarks are in; from their shape, unless given.
        speaker_of: the speaker of an id, where there is no index; unless given, the speaker is ``""``, unknown.
        val: share of speakers in the split ``val``, where there is no index.
        fps: frame rate of the corpus; clips of another rate are resampled, and their ``checks`` say from which.
        license: license of the media, where no index says.
        distribute: whether trained weights may be given away, where no index says.
        shard_bytes: size at which a shard closes.

    Raises:
        CorpusError: no usable clip, or ``output`` is a corpus already.
        SpecError: an unknown representation.
    """
    from ..core.timing import as_fps

    folder = Path(source)
    if (folder / HEADER).exists() or (folder / pairs.INDEX).exists():
        entries, refused = list_corpus(folder, license, distribute)
        found: dict[str, Read] = {entry.id: entry.read for entry in entries}
    else:
        refused = []
        found = {id: partial(_plain, folder, id, speaker_of, val, license, distribute) for id in _ids(folder)}
    if not found:
        got = refused[0].reason if refused else f"none in {folder}"
        raise CorpusError("folder", f"clips (ID.npz with {' or '.join(f'ID{each}' for each in SOUNDS)})", got)
    spec = _spec(representation) if representation is not None else _likely(found.values())
    clips = _usable(found, spec, as_fps(fps), refused, folder, quiet)
    try:
        corpus = write_shards(output, clips, representation=spec, shard_bytes=shard_bytes)
    except CorpusError:
        if not {each.clip for each in refused} >= found.keys():
            raise
        got = f"none of {len(refused)} in {folder}, the first because of: {refused[0].reason}"
        raise CorpusError("folder", "at least one usable clip", got) from None
    write_refused(corpus, refused)
    return corpus


def _usable(
    found: Mapping[str, Read],
    spec: RepresentationSpec,
    fps: Fraction,
    refused: list[Refused],
    folder: Path,
    quiet: bool,
) -> Iterator[Clip]:
    """The clips that fit; what does not is added to ``refused``."""
    built = spec.build(None)
    for id, read in track(found.items(), "clips", console=Console(stderr=True), disable=quiet):
        try:
            clip = _at_rate(read(), fps)
            clip = replace(clip, landmarks=clip.landmarks[..., : built.dims])
            check_fits(clip, built)
        except HeadmotionError as error:
            refused.append(Refused(id, error, str(folder)))
            continue
        yield clip


def _likely(clips: Any) -> RepresentationSpec:
    """From the first clip that can be read."""
    error: HeadmotionError | None = None
    for read in clips:
        try:
            return representation_of(read().landmarks.shape)
        except HeadmotionError as found:
            error = error or found
    assert error is not None
    raise CorpusError("folder", "at least one usable clip", str(error))


def _spec(representation: RepresentationSpec | Mapping[str, Any] | str) -> RepresentationSpec:
    if isinstance(representation, RepresentationSpec):
        return representation
    return cast("RepresentationSpec", resolve_spec("representation", representation))


def _ids(folder: Path) -> list[str]:
    try:
        if not folder.is_dir():
            raise NotADirectoryError
        names = (path.relative_to(folder).with_suffix("") for path in folder.rglob("*.npz"))
        return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))
    except OSError as error:
        raise CorpusError("folder", "a folder that can be read", f"{folder} ({type(error).__name__})") from None


def _plain(
    folder: Path, id: str, speaker_of: Callable[[str], str] | None, val: float, license: str, distribute: bool
) -> Clip:
    """A clip that no index describes."""
    speaker = speaker_of(id) if speaker_of else ""
    clip = _read_plain(folder, id)
    return replace(clip, speaker=speaker, split=split_of(speaker, val), license=license, distribute=distribute)


def _read_plain(folder: Path, id: str) -> Clip:
    from ..core.timing import as_fps
    from ..media.audio import Audio

    arrays = folder / f"{id}.npz"
    component = f"clip {folder / id}"
    sounds = [folder / f"{id}{suffix}" for suffix in SOUNDS if (folder / f"{id}{suffix}").exists()]
    if not sounds:
        raise CorpusError(component, f"a sound file ({' or '.join(SOUNDS)}) beside its .npz", "none")
    try:
        stored = read_arrays(arrays, "landmarks", "fps", "image_size")
        landmarks = as_float32(stored["landmarks"])
        fps = as_fps(str(stored.get("fps", 25)))
        height, width = map(int, stored.get("image_size", (0, 0)))
    except (OSError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise CorpusError(component, "a readable .npz", f"{type(error).__name__}: {error}") from None
    samples = Audio.load(sounds[0]).read(SAMPLE_RATE)
    needed = samples_of(len(landmarks), fps)
    lacking = needed - len(samples)
    if abs(lacking) > SAMPLE_RATE / fps:
        got = f"{len(samples)} samples"
        raise CorpusError(component, f"{needed} samples at 16 kHz for {len(landmarks)} frames at {fps} fps", got)
    audio = np.pad(samples[:needed], (0, max(0, lacking)))
    check_values(component, landmarks, audio, fps)
    checks = {"samples_added": lacking} if lacking else {}
    size = (height, width) if height else None
    return Clip(id, "", "train", landmarks, audio, fps, image_size=size, checks=checks)


def _at_rate(clip: Clip, fps: Fraction) -> Clip:
    """The clip at another frame rate: landmarks by time stamp, speech up to half a frame shorter or longer."""
    import torch

    from ..core.timing import frame_count, resample_frames

    if clip.fps == fps:
        return clip
    total = frame_count(len(clip.landmarks) / clip.fps, fps)
    if not total:
        raise CorpusError(f"clip {clip.id}", f"at least half a frame at {fps} fps", f"{clip.seconds:.3f} s")
    landmarks = resample_frames(torch.from_numpy(clip.landmarks.copy()), clip.fps, fps, total).numpy()
    needed = samples_of(total, fps)
    audio = np.pad(clip.audio[:needed], (0, max(0, needed - len(clip.audio))))
    checks = {**clip.checks, "source_fps": str(clip.fps)}
    return replace(clip, landmarks=landmarks, audio=audio, fps=fps, checks=checks)
