"""Tasks: the files that are generated, from lists, folders and patterns, each with an output of its own."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.arguments import as_path
from ..core.errors import HeadmotionError
from ..core.plugins import registry
from ..media.file_kind import SUFFIXES
from .generate_options import GenerateOptions
from .unused_options import unused_options

AUDIO_FILES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma"}
AUDIO_FILES |= {suffix for suffix, kind in SUFFIXES.items() if kind == "video"}
"""Suffixes of the files that are taken from a folder."""


@dataclass(frozen=True)
class Task:
    """One file to be generated."""

    name: str
    """How messages and the report name it."""
    audio: Path
    image: Path | None
    output: Path
    options: GenerateOptions

    def unused_options(self, names: Collection[str]) -> dict[str, str]:
        """Return which of several options have no effect on the output, with what each is for."""
        return unused_options(self.options, names, self.image, self.output)


class TaskError(HeadmotionError):
    """An error of one task."""

    def __init__(self, task: Task, expected: str, got: str, remedy: str = "") -> None:
        super().__init__(task.name, expected, got, remedy)
        self.task = task


def tasks_from_paths(
    paths: Sequence[str | os.PathLike[str]],
    output: Path,
    suffix: str,
    image: Path | None,
    options: GenerateOptions,
) -> list[Task]:
    """Return a task per audio file.

    Args:
        paths: files, folders that are searched, or patterns such as ``talks/*.wav``.
        output: folder of the outputs, which keep the names of the files, and their places within a searched folder.
        suffix: of the outputs; empty for folders of pictures.
        image: picture of the face.
        options: of all files.

    Raises:
        HeadmotionError: a path where nothing is, two files with the same output, or an option without effect.
    """
    tasks = check_tasks(expand_paths(paths, output, suffix, image, options))
    require_use(tasks, options.model_fields_set)
    return tasks


def expand_paths(
    paths: Sequence[str | os.PathLike[str]], output: Path, suffix: str, image: Path | None, options: GenerateOptions
) -> list[Task]:
    """Return a task per different audio file; arguments as of `tasks_from_paths`.

    Raises:
        HeadmotionError: a path where nothing is.
    """
    tasks = [
        Task(str(path), path, image, (output / relative).with_suffix(suffix), options)
        for source in paths
        for path, relative in _audio_files(as_path(source, "jobs"), output, suffix)
    ]
    return list({task.audio.absolute(): task for task in tasks}.values())


def check_tasks(tasks: list[Task]) -> list[Task]:
    """Return the tasks, if there are any and they do not collide.

    Raises:
        HeadmotionError: no task, an output of no format or that another task has or that is an input.
    """
    from ..media.frames_writer import ENCODERS

    if not tasks:
        raise HeadmotionError("jobs", "at least one audio file", "none", "give files, folders or a table with rows")
    inputs = {path.absolute() for task in tasks for path in (task.audio, task.image) if path is not None}
    outputs: dict[Path, Task] = {}
    suffixes = *ENCODERS, *registry().written_suffixes
    for task in tasks:
        suffix = task.output.suffix.lower()
        if suffix not in suffixes:
            known = ", ".join(filter(None, suffixes))
            raise TaskError(task, f"an output ending in {known}, or a folder's name without a dot", task.output.name)
        if task.output.absolute() in inputs:
            raise TaskError(task, "an output that is no input", str(task.output))
        first_task = outputs.setdefault(task.output.absolute(), task)
        if first_task is not task:
            got = f"{task.output} for {first_task.name} too"
            raise TaskError(task, "an output of its own", got, "rename a file, or name outputs in a table (--jobs)")
    return tasks


def require_use(tasks: Sequence[Task], names: Collection[str]) -> None:
    """Refuse an option of all tasks that has an effect on none of them.

    Raises:
        HeadmotionError: there is one.
    """
    for name in names:
        # The first task on which it has an effect ends the search.
        if all(task.unused_options([name]) for task in tasks):
            raise HeadmotionError(f"option {name}", tasks[0].unused_options([name])[name], "none", "leave it out")


def _audio_files(path: Path, output: Path, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Yield the files that a path stands for, with their places in the output folder."""
    if path.is_dir():
        audio_files = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_FILES and file.is_file())
        # Videos that an earlier run wrote are no speech of this one.
        mixed, written = output.absolute() == path.absolute(), output.absolute()
        members = [
            file
            for file in audio_files
            if written not in file.absolute().parents or (mixed and file.suffix.lower() != suffix)
        ]
        if not members:
            raise HeadmotionError("jobs", "a folder with audio files", str(path))
        yield from ((file, file.relative_to(path)) for file in members)
    elif path.is_file():
        yield path, Path(path.name)
    else:
        matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - pathlib refuses absolute patterns
        if not matches:
            raise HeadmotionError("jobs", "an existing file, a folder or a pattern that matches", str(path))
        for match in matches:
            if match.is_file():
                yield match, Path(match.name)
