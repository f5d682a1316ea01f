"""The generation of one file as a job: speech in, a motion file, a video or pictures out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from ..core.errors import HeadmotionError, describe, one_line
from ..core.files import atomic_output, write_text
from ..core.motion import Motion
from ..core.plugins import registry
from ..execution.job import Heartbeat, Job, register_job
from .closed_mouth import Mouth
from .generate_options import GenerateOptions, iter_motion, write_video
from .style_file import is_style_file

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .reference import Reference


@dataclass(frozen=True)
class Record:
    """What became of a job; a small file next to the report."""

    settings: str
    """`GenerateJob.settings` of the job."""
    error: str = ""
    """Why it failed; empty if it did not."""
    seconds: float = 0.0
    """Time that it took."""
    frames: int = 0
    """Frames of the motion."""

    def save(self, path: Path) -> None:
        """Write the record; it appears whole or not at all."""
        with atomic_output(path) as temporary:
            write_text(temporary, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read a record; None if there is none, or a damaged one."""
        try:
            return cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


@register_job
@dataclass(frozen=True)
class GenerateJob(Job):
    """Speech, perhaps a picture, the output, and how it is made."""

    audio: str
    image: str | None
    target: str
    """The output: a motion file, a video, or a folder for pictures."""
    options: GenerateOptions
    model: str
    """Checkpoint of the pipeline, or the name of a bundled one."""
    model_sha256: str
    device: str
    record: str
    """Path of the `Record`."""

    @property
    def output(self) -> Path:
        """The record, which is written last, whether the job succeeded or failed."""
        return Path(self.record)

    def arguments(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return vars(self) | {"options": self.options.model_dump(mode="json")}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a job from what `arguments` returned."""
        return cls(**{**arguments, "options": GenerateOptions.model_validate(arguments["options"])})

    @property
    def settings(self) -> str:
        """SHA-256 of all that decides about the output: model, options, and sizes and times of the input files."""
        inputs = [(path, *_version(Path(path))) for path in self._inputs().values()]
        content = [self.model_sha256, inputs, self.target, self.options.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(content).encode("utf-8", "surrogatepass")).hexdigest()

    def _inputs(self) -> dict[str, str]:
        """Return the input files by the names of the arguments that name them."""
        options = self.options
        style = options.style if is_style_file(options.style) else None
        files = {"audio": self.audio, "image": self.image, "landmarks": options.landmarks}
        files |= {"listener_audio": options.listener_audio, "style": style}
        return {name: path for name, path in files.items() if path is not None}

    def setup(self) -> None:
        """Load the model, once per worker.

        Raises:
            HeadmotionError: it cannot be loaded.
        """
        _pipeline(self.model, self.model_sha256, self.device)

    def run(self, heartbeat: Heartbeat) -> None:
        """Generate the output, and write the record of success or failure."""
        from ..media.video_writer import THREADS

        begin, settings = time.monotonic(), self.settings
        token = THREADS.set(1)  # other workers have the other cores
        try:
            frames = self._generate(_pipeline(self.model, self.model_sha256, self.device), heartbeat)
            record = Record(settings, seconds=time.monotonic() - begin, frames=frames)
        except Exception as error:  # one bad file must not end the work on ten thousand others
            message = self._describe(error)
            record = Record(settings, message, time.monotonic() - begin)
        finally:
            THREADS.reset(token)
        record.save(self.output)

    def _describe(self, error: Exception) -> str:
        if isinstance(error, HeadmotionError):
            return one_line(str(error))
        if isinstance(error, OSError) and error.strerror:
            # A rename has two names, of which the first is temporary.
            return one_line(f"{error.filename2 or error.filename or self.target}: {error.strerror}")
        return describe(error)

    def record_lost_worker(self) -> None:
        """Record that the worker crashed or stalled, unless the job was recorded before that."""
        settings = self.settings
        record = Record.load(self.output)
        if record is None or record.settings != settings:
            Record(settings, "the worker process crashed, or made no progress for too long").save(self.output)

    def _generate(self, pipe: Pipeline, heartbeat: Heartbeat) -> int:
        for name, path in self._inputs().items():
            if not Path(path).is_file():
                raise HeadmotionError(name, "an existing file", path)
        options = self.options
        source = options.landmarks or self.image
        # Detected once per worker, because ten thousand files often share a picture.
        version = () if source is None else _version(Path(source))
        reference = _reference(
            self.model_sha256, source, version, json.dumps(options.detector), options.face, options.mouth, pipe
        )
        count = 0

        def counted(motions: Iterator[Motion]) -> Iterator[Motion]:
            nonlocal count
            for motion in motions:
                count += len(motion)
                heartbeat()
                yield motion

        from ..media.audio import Audio

        speech = Audio.load(self.audio, options.audio_track)
        motions, target = counted(iter_motion(pipe, speech, options, reference)), Path(self.target)
        if target.suffix.lower() in registry().written_suffixes:
            Motion.concatenate(list(motions)).save(target)
        else:
            write_video(pipe, motions, target, self.image, speech, options)
        return count


def _version(path: Path) -> tuple[int, int]:
    """Return size and time of a file, which change with its content; zeros if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


# One entry: all jobs of a run have the same model.
@lru_cache(maxsize=1)
def _pipeline(model: str, sha256: str, device: str) -> Pipeline:
    from .loading import load

    return load(model, device)


@lru_cache(maxsize=16)
def _reference(
    model_sha256: str,
    source: str | None,
    version: tuple[int, ...],
    detector: str,
    face: int | Literal["largest"],
    mouth: Mouth,
    pipe: Pipeline,
) -> Reference:
    return pipe.reference(source, detector=json.loads(detector), face=face, mouth=mouth)
