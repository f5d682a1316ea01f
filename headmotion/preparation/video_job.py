"""The preparation of one video as a job: its clips are staged on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..core.errors import CorpusError, describe
from ..execution.job import Heartbeat, Job, register_job
from .find_videos import VideoFile
from .settings import Settings
from .staging import is_staged, record_path, stage_video

if TYPE_CHECKING:
    from .worker_resources import WorkerResources


@register_job
@dataclass(frozen=True)
class VideoJob(Job):
    """A video, the folder in which its clips are staged, and the settings."""

    path: str
    name: str
    size: int
    """In bytes."""
    folder: str
    settings: Settings

    @classmethod
    def for_video(cls, video: VideoFile, folder: Path, settings: Settings) -> VideoJob:
        """Make the job that stages the clips of ``video`` in ``folder``."""
        return cls(str(video.path.absolute()), video.name, video.size, str(folder.absolute()), settings)

    @property
    def output(self) -> Path:
        """The record of the staged video."""
        return record_path(Path(self.folder))

    def arguments(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return vars(self) | {"settings": self.settings.model_dump(mode="json")}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a job from what `arguments` returned."""
        return cls(**{**arguments, "settings": Settings.model_validate(arguments["settings"])})

    def setup(self) -> None:
        """Build the detector and load the syncers.

        Raises:
            HeadmotionError: one of them does not work.
        """
        _worker_resources(self.settings)

    def run(self, heartbeat: Heartbeat) -> None:
        """Stage the clips of the video.

        Raises:
            CorpusError: the staging folder cannot be written.
        """
        from .process_video import process_video

        resources = _worker_resources(self.settings)
        try:
            with stage_video(Path(self.folder), self.name) as output:
                process_video(Path(self.path), resources, output, heartbeat)
        except OSError as error:  # from writing only: errors of reading have classes of their own
            corpus = Path(self.folder).parents[2]  # above .staging and two parts of a digest
            raise CorpusError("preparation", f"to write into {corpus}", error.strerror or "an error") from None
        except Exception as error:  # one bad video must not end the work on a million others
            self._reject("error", what=describe(error))

    def record_lost_worker(self) -> None:
        """Stage that the video was rejected."""
        self._reject("worker_lost")

    def _reject(self, reason: str, **details: str) -> None:
        """Stage that there are no clips of the video, unless its clips are there."""
        if not is_staged(Path(self.folder)):
            with stage_video(Path(self.folder), self.name) as output:
                output.reject(reason, **details)


# One entry: all jobs of a preparation have the same settings.
@lru_cache(maxsize=1)
def _worker_resources(settings: Settings) -> WorkerResources:
    from .worker_resources import WorkerResources

    return WorkerResources.build(settings)
