"""The motion of a model for one clip as a job, so that several processes generate what an evaluation will ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Self

from ..core.errors import HeadmotionError
from ..core.files import atomic_output, write_text
from ..core.motion import Motion
from ..core.progress import track
from ..execution.executor import resolve_executor
from ..execution.job import Heartbeat, Job, register_job
from ..pipeline.loading import load
from .baselines.context import BaselineContext
from .baselines.trivial import ShuffledAudio
from .eval_split import open_split
from .model import ModelSource

STALL_SECONDS = 600
"""Longest time for one motion."""


@register_job
@dataclass(frozen=True)
class ClipJob(Job):
    """What an evaluation asks of a model for one clip; motions are saved in the cache of a `ModelSource`."""

    model: str
    """A bundled model or a checkpoint."""
    device: str
    data: str
    """The corpus folder."""
    split: str
    limit: int | None
    seed: int
    cache: str
    """Folder of the motions."""
    is_shuffled: bool
    """Whether `ShuffledAudio` is evaluated, too."""
    seeds: int
    """Motions per clip."""
    long_frames: int
    """Frames of the long motion of each clip that has one; 0 if no metric needs any."""
    long_clips: int
    """Number of such clips."""
    clip: int = 0
    """Position among the evaluated clips."""

    @property
    def output(self) -> Path:
        """A mark that the job was done."""
        return Path(self.cache) / f"clip-{self.clip}"

    def arguments(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return dict(vars(self))

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a job from what `arguments` returned."""
        return cls(**arguments)

    def setup(self) -> None:
        """Load the model, and open the split."""
        _source(self.model, self.device, self.data, self.split, self.limit, self.seed, self.cache)

    def run(self, heartbeat: Heartbeat) -> None:
        """Generate the motions."""
        source = _source(self.model, self.device, self.data, self.split, self.limit, self.seed, self.cache)
        # Whatever fails here fails in the evaluation again, which reports it.
        with suppress(HeadmotionError):
            for generate in self._requests(source):
                heartbeat()
                with suppress(HeadmotionError):
                    generate()
        self.record_lost_worker()

    def record_lost_worker(self) -> None:
        """Leave the mark: the evaluation generates what is missing itself."""
        with atomic_output(self.output) as temporary:
            write_text(temporary, "")

    def _requests(self, source: ModelSource) -> Iterable[Callable[[], Motion]]:
        clip = source.split[self.clip]
        yield partial(source.motion, clip)
        for number in range(1, self.seeds):
            yield partial(source.repeat, clip, number)
        if self.long_frames and self.clip < self.long_clips:
            yield partial(source.long_motion, clip, self.long_frames)
        if self.is_shuffled:
            yield partial(ShuffledAudio(BaselineContext(source.split, source)).motion, clip)


def generate_clips(job: ClipJob, clips: Sequence[int], workers: int, quiet: bool) -> None:
    """Do a job for each of the clips in several processes.

    Args:
        job: the job of any clip.
        clips: positions among the evaluated clips.
        workers: number of processes.
        quiet: no progress bar.
    """
    jobs = [replace(job, clip=clip) for clip in clips]
    for _ in track(resolve_executor(workers, None, STALL_SECONDS).run(jobs), "motion", len(jobs), quiet=quiet):
        pass


# One entry: all jobs of an evaluation have the same model and clips.
@lru_cache(maxsize=1)
def _source(model: str, device: str, data: str, split: str, limit: int | None, seed: int, cache: str) -> ModelSource:
    pipeline = load(model, device)
    return ModelSource(pipeline, open_split(data, pipeline.representation, split, limit), seed, Path(cache))
