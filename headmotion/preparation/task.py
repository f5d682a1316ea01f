"""One video as a task that any process can do: its result is staged on disk, nothing comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from ..core.errors import CorpusError
from .find_videos import Video
from .settings import Settings
from .staging import is_staged, staged

if TYPE_CHECKING:
    from .process_video import Parts


@dataclass(frozen=True)
class Task:
    """A video, where its result is staged, and the settings."""

    path: str
    name: str
    size: int
    folder: str
    settings: Settings

    @classmethod
    def of(cls, video: Video, folder: Path, settings: Settings) -> Task:
        """The task of staging a video's clips as ``folder``."""
        return cls(str(video.path.absolute()), video.name, video.size, str(folder.absolute()), settings)

    def to_json(self) -> str:
        """One line, from which `from_json` makes an equal task."""
        return json.dumps(vars(self) | {"settings": self.settings.model_dump(mode="json")})

    @classmethod
    def from_json(cls, line: str) -> Self:
        """A task as `to_json` wrote it."""
        values = json.loads(line)
        return cls(**values | {"settings": Settings.model_validate(values["settings"])})


class Executor(Protocol):
    """Does tasks, on this machine or on others."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, bool]]:
        """Every task as it ends, and whether its worker lived to end it.

        Raises:
            HeadmotionError: no task can be done, because a part does not work.
        """


def do(task: Task, parts: Parts, alive: Callable[[], None]) -> None:
    """Stage the result of one task; ``alive`` is called as it goes on.

    Raises:
        CorpusError: it cannot be written.
    """
    from .process_video import prepare_video

    try:
        with staged(Path(task.folder), task.name) as output:
            prepare_video(Path(task.path), parts, output, alive)
    except OSError as error:  # of writing; what fails in reading is an error of its own kind
        raise CorpusError("preparation", f"to write into {task.folder}", error.strerror or "an error") from None
    except Exception as error:  # one video of a million must not end the work on all others
        refuse(task, "error", what=" ".join(f"{type(error).__name__}: {error}".split())[:300])


def refuse(task: Task, reason: str, **figures: str) -> None:
    """Stage that there is nothing of a video, unless its result is there."""
    if not is_staged(Path(task.folder)):
        with staged(Path(task.folder), task.name) as output:
            output.refuse(reason, **figures)


@lru_cache(maxsize=1)
def parts_of(settings: Settings) -> Parts:
    """What the tasks of one preparation share, built once per process.

    Raises:
        HeadmotionError: a part does not work.
    """
    from .process_video import Parts

    return Parts.build(settings)
