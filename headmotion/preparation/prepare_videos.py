"""From a folder of videos to a corpus."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..core.arguments import as_path
from ..core.checkpoint import read_header
from ..core.errors import CorpusError, SpecError
from ..core.interfaces.specs import DetectorSpec, RepresentationSpec, resolve_spec
from ..core.progress import progress
from ..data.corpus import Corpus, list_corpus
from ..data.corpus_files import LocalFiles
from ..data.corpus_folder import claim_folder
from ..data.import_folder import import_folder
from ..data.made_from import folder_listing, record_of
from ..data.pair_format import video_name
from ..data.pair_index import INDEX as PAIR_INDEX
from ..data.pair_index import list_pairs
from ..data.pictures import QUALITY
from ..data.rejected import REJECTED
from ..data.shard_header import HEADER
from ..detectors.resolve import detector_spec
from ..execution.executor import Executor, resolve_executor
from .build_corpus import ClipMetadata, ClipMetadataRules, CorpusBuilder
from .find_videos import SpeakerRule, find_videos, guess_speaker
from .settings import CropMode, Settings
from .staging import is_staged
from .video_job import VideoJob

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Summary:
    """Counts of a prepared corpus."""

    clips: int
    """Number of clips."""
    seconds: float
    """Seconds of all clips together."""
    rejected: Mapping[str, int]
    """How many clips or videos were rejected, by reason."""

    @classmethod
    def read(cls, corpus: str | os.PathLike[str]) -> Self:
        """Read the counts from the folder that `prepare` wrote, which may hold no clips."""
        folder = Path(corpus)
        clips = list_corpus(LocalFiles(folder))[0] if (folder / HEADER).exists() else Corpus()
        reasons = Counter(line["reason"] for line in _read_lines(folder / REJECTED))
        return cls(len(clips), clips.seconds, dict(sorted(reasons.items())))

    def __str__(self) -> str:
        clips = f"{self.clips} {'clip' if self.clips == 1 else 'clips'}, {self.seconds / 60:.1f} minutes"
        rejected = ", ".join(f"{count} {reason}" for reason, count in self.rejected.items())
        return f"{clips}; rejected: {rejected or 'none'}"


def prepare(
    videos: PathLike | Sequence[PathLike],
    output: PathLike,
    detector: DetectorSpec | dict[str, Any] | str | None = None,
    representation: RepresentationSpec | Mapping[str, Any] | str | None = None,
    crop: CropMode = "shot",
    syncers: PathLike | None = None,
    speaker: SpeakerRule = "auto",
    val: float = 0.1,
    license: str = "",
    distribute: bool = False,
    frames: int | None = None,
    frame_quality: int = QUALITY,
    labels: bool = False,
    workers: int | None = None,
    ray: str | None = None,
    stall_seconds: float = 300,
    quiet: bool = False,
    **limits: Any,
) -> Path:
    """Make a corpus of talking faces from videos: 68 landmarks, or another representation, at 25 fps with their speech.

    Every video is read once, with ``frames`` twice, in constant memory. What cannot be used is listed with its reason
    in ``rejected.jsonl``.
    A call that was interrupted at any moment can be repeated: it continues, and the corpus is the same, byte for byte.
    If nothing is usable, the folder holds ``rejected.jsonl`` only; `Summary.read` shows that.

    Args:
        videos: files, or folders that are searched. One folder of landmarks (``index.csv``, or ``.npz`` and no video)
            is passed to `headmotion.data.import_folder.import_folder`, which ignores most of the other arguments.
        output: the corpus folder.
        detector: detector of the faces; as in `Pipeline.reference`.
        representation: what the motion of clips is, out of what the detector gives: ``landmarks68``,
            ``landmarks68-3d``, ``mesh478``, ``blendshapes``; None: 68 landmarks, with depth if the detector has it.
            With it, a folder of landmarks is a folder of videos, whose speakers and splits are those of its index.
        crop: in whose pixels landmarks are: ``shot``, ``face`` or ``none``; see `Settings`.
        syncers: ``syncers.safetensors`` of a training run; clips whose audio and motion are apart are rejected.
        speaker: what in a path is taken for the speaker's name.
        val: share of speakers in the split ``val``.
        license: license of the media.
        distribute: whether trained weights may be given away.
        frames: edge of the pictures of the face to keep, in pixels, with the landmarks in the same pixels; needs the
            crop ``shot``. Of a folder of landmarks, the clips with a video next to them.
        frame_quality: quality of these pictures, 1 to 100.
        labels: keep what the detector measures of each frame besides the pose, such as blend shapes.
        workers: number of processes; None: one per processor; 0: this process only, which one bad file can stall.
        ray: address of a running Ray cluster that replaces the processes, such as ``auto``.
        stall_seconds: a video that yields no frame for this long is rejected.
        quiet: no progress bar.
        limits: further fields of `Settings`, such as ``min_seconds``.

    Raises:
        CorpusError: no videos, or a folder that is a corpus already or is being written by another process.
        SpecError, CheckpointError: settings or syncers that do not fit.
        DetectorError: the detector does not work.
    """
    several = [videos] if isinstance(videos, str | os.PathLike) else videos
    paths = [as_path(path, "videos", CorpusError) for path in several]
    folder = as_path(output, "corpus", CorpusError)
    # Mistakes in arguments are found before anything is written.
    pictures = {"frames": frames, "frame_quality": frame_quality, "labels": labels}
    named = {} if representation is None else {"representation": resolve_spec("representation", representation)}
    settings = _resolve_settings(detector, crop, syncers, pictures | named | limits)
    listed: dict[str, ClipMetadata] = {}
    if len(paths) == 1 and representation is not None:
        listed = _listed(paths[0], license, distribute)
    elif len(paths) == 1 and holds_landmarks(paths[0], folder):
        if labels:
            raise SpecError("preparation", "videos, for a detector with labels", f"landmarks in {paths[0]}")
        choices: dict[str, Any] = {"val": val, "license": license, "distribute": distribute}
        choices |= {"frames": frames, "frame_quality": frame_quality}
        return _import_landmarks(paths[0], folder, speaker, choices, quiet)
    video_files = find_videos(paths, exclude=folder)
    executor = resolve_executor(workers, ray, stall_seconds)
    rules = ClipMetadataRules(speaker, val, license, distribute, listed)
    builder = CorpusBuilder(folder, video_files, settings, rules)
    with claim_folder(folder):
        if builder.start():
            try:
                _stage_videos(builder, executor, quiet)
            except BaseException:
                builder.remove_if_empty()
                raise
            builder.finish()
    return folder


def _resolve_settings(
    detector: DetectorSpec | dict[str, Any] | str | None,
    crop: CropMode,
    syncers: PathLike | None,
    limits: dict[str, Any],
) -> Settings:
    if syncers is not None:
        limits = limits | {"syncers": str(Path(syncers).absolute()), "syncers_sha256": read_header(syncers).sha256}
    return Settings(detector=detector_spec(detector), crop=crop, **limits)


def holds_landmarks(folder: Path, output: Path) -> bool:
    """Return whether a folder is a corpus, or holds ``.npz`` files and no video but those next to them."""
    if any((folder / name).is_file() for name in (PAIR_INDEX, HEADER)):
        return True
    if not folder.is_dir() or next(folder.rglob("*.npz"), None) is None:
        return False
    try:
        return all(video.path.with_suffix(".npz").exists() for video in find_videos([folder], exclude=output))
    except CorpusError:
        return True


def _import_landmarks(
    source: Path, output: Path, speaker: SpeakerRule, choices: Mapping[str, Any], quiet: bool
) -> Path:
    """Make a corpus of a folder of landmarks, unless it is there already; ``choices`` are those of `import_folder`."""
    speaker_of = None if speaker == "auto" else lambda id: guess_speaker(f"{id}.npz", speaker)
    made_from = record_of(landmarks=folder_listing(source, exclude=output), speaker=speaker, **choices)
    return import_folder(source, output, quiet, speaker_of=speaker_of, made_from=made_from, **choices)


def _listed(folder: Path, license: str, distribute: bool) -> dict[str, ClipMetadata]:
    """Return what the index of a folder of pairs says of each video in it; nothing if there is no index."""
    if not (folder / PAIR_INDEX).is_file():
        return {}
    return {
        video_name(entry.id): ClipMetadata(entry.speaker, entry.split, entry.license, entry.distribute)
        for entry in list_pairs(folder, license, distribute)[0]
    }


def _stage_videos(builder: CorpusBuilder, executor: Executor, quiet: bool) -> None:
    """Stage every video that is not staged yet."""
    folders = [builder.staging_folder(video) for video in builder.videos]
    jobs = [
        VideoJob.for_video(video, folder, builder.settings)
        for video, folder in zip(builder.videos, folders, strict=True)
        if not is_staged(folder)
    ]
    done, count = len(folders) - len(jobs), len(folders)
    # By bytes, because one video may last for hours and another for seconds.
    total_bytes = sum(video.size for video in builder.videos)
    done_bytes = total_bytes - sum(job.size for job in jobs)
    label = "{}/{} videos".format
    with progress(label(done, count), total_bytes, start=done_bytes, counts=False, quiet=quiet) as advance:
        for job in executor.run(jobs):
            done += 1
            advance(job.size, label(done, count))


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as stream:
            yield from map(json.loads, stream)
