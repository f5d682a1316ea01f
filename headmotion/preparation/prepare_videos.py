"""From a folder of videos to a corpus."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..core.checkpoint import read_header
from ..core.errors import CorpusError, SpecError
from ..core.interfaces.specs import DetectorSpec
from ..data.import_folder import prepare_folder
from ..data.pair_format import INDEX as FOLDER_INDEX
from ..data.shard_header import HEADER
from ..detectors.resolve import detector_spec
from ..execution.processes import InThisProcess, LocalWorkers
from .build_corpus import Assembly, Described
from .find_videos import SpeakerRule, find_videos, speaker_of
from .settings import Crop, Settings
from .staging import is_staged
from .task import Executor, Task, refuse

PathLike = str | os.PathLike[str]


def prepare(
    videos: PathLike | Sequence[PathLike],
    output: PathLike,
    detector: DetectorSpec | dict[str, Any] | str | None = None,
    crop: Crop = "shot",
    syncers: PathLike | None = None,
    speaker: SpeakerRule = "auto",
    val: float = 0.1,
    license: str = "",
    distribute: bool = False,
    workers: int | None = None,
    ray: str | None = None,
    stall_seconds: float = 300,
    quiet: bool = False,
    **limits: Any,
) -> Path:
    """Make a corpus of talking faces from videos: 68 landmarks at 25 fps with their speech.

    Every video is read once, in constant memory. What cannot be used is named with its reason in ``refused.jsonl``.
    Interrupted at any moment and called again, it goes on, and the corpus is the same, byte for byte. If nothing is
    usable the folder holds ``refused.jsonl`` alone; `Summary.of` tells.

    Args:
        videos: files, or folders that are searched. One folder of landmarks (``index.csv``, or ``.npz`` and no video)
            is handed to `headmotion.data.import_folder.prepare_folder`, for which most of what follows means nothing.
        output: the corpus folder.
        detector: finds the faces; as in `Pipeline.reference`.
        crop: in whose pixels landmarks are: ``shot``, ``face`` or ``none``; see `Settings`.
        syncers: ``syncers.safetensors`` of a training run; clips whose sound is off are refused.
        speaker: what in a path is taken for the speaker's name.
        val: share of speakers in the split ``val``.
        license: license of the media.
        distribute: whether trained weights may be given away.
        workers: processes; None: one per processor; 0: none but this one, which one bad file can then hang.
        ray: address of a running Ray cluster that takes the place of the processes, such as ``auto``.
        stall_seconds: a video that yields no frame for so long is refused.
        quiet: no progress bar.
        limits: further fields of `Settings`, such as ``min_seconds``.

    Raises:
        CorpusError: no videos, or a folder that is a corpus already.
        SpecError, CheckpointError: settings or syncers that do not fit.
        DetectorError: the detector does not work.
    """
    given = [Path(each) for each in ([videos] if isinstance(videos, str | os.PathLike) else videos)]
    folder = Path(output)
    settings = _settings(detector, crop, syncers, limits)
    if len(given) == 1 and _holds_landmarks(given[0], folder):
        named = {"license": license, "distribute": distribute, "val": val}
        by = None if speaker == "auto" else lambda id: speaker_of(f"{id}.npz", speaker)
        return prepare_folder(given[0], folder, quiet, speaker_of=by, **named)  # type: ignore[arg-type]
    found = find_videos(given, but=folder)
    executor = _executor(workers, ray, stall_seconds)
    assembly = Assembly(folder, found, settings, Described(speaker, val, license, distribute))
    if assembly.begin():
        try:
            _stage(assembly, executor, quiet)
        except BaseException:
            assembly.give_up()
            raise
        assembly.finish()
    return folder


def _settings(
    detector: DetectorSpec | dict[str, Any] | str | None,
    crop: Crop,
    syncers: PathLike | None,
    limits: dict[str, Any],
) -> Settings:
    known = (
        {}
        if syncers is None
        else {"syncers": str(Path(syncers).absolute()), "syncers_sha256": read_header(syncers).sha256}
    )
    return Settings(detector=detector_spec(detector), crop=crop, **known, **limits)


def _executor(workers: int | None, ray: str | None, stall_seconds: float) -> Executor:
    if not stall_seconds > 0:
        raise SpecError("preparation", "more than 0 seconds without progress", repr(stall_seconds))
    if ray is not None:
        from ..execution.ray import RayWorkers

        return RayWorkers(ray, stall_seconds)
    count = (os.cpu_count() or 1) if workers is None else workers
    if count < 0:
        raise SpecError("preparation", "workers from 0", str(count))
    return LocalWorkers(count, stall_seconds) if count else InThisProcess()


def _holds_landmarks(folder: Path, output: Path) -> bool:
    if any((folder / name).is_file() for name in (FOLDER_INDEX, HEADER)):
        return True
    if not folder.is_dir() or next(folder.rglob("*.npz"), None) is None:
        return False
    try:
        return not find_videos([folder], but=output)
    except CorpusError:
        return True


def _stage(assembly: Assembly, executor: Executor, quiet: bool) -> None:
    """Stage the result of every video that has none."""
    videos = assembly.videos
    todo = [video for video in videos if not is_staged(assembly.place(video))]
    done, size = len(videos) - len(todo), sum(video.size for video in videos)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        # By bytes, because one video may be hours and another seconds.
        completed = size - sum(video.size for video in todo)
        bar = progress.add_task(f"{done}/{len(videos)} videos", total=size, completed=completed)
        for task, lived in executor.run(Task.of(each, assembly.place(each), assembly.settings) for each in todo):
            if not lived:
                refuse(task, "worker_lost")
            done += 1
            progress.update(bar, advance=task.size, description=f"{done}/{len(videos)} videos")
