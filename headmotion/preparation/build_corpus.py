"""Staged results become the corpus, so that it is the same however often the work was interrupted."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..core.errors import CorpusError
from ..core.files import atomic_output
from ..data.clip import Clip
from ..data.infer_representation import representation_of
from ..data.rejected import REFUSED
from ..data.shard_header import HEADER, INDEX, SHARDS
from ..data.shard_writer import write_shards
from ..data.split import split_of
from .find_videos import SpeakerRule, Video, speaker_of
from .settings import FPS, Settings
from .staging import read_clips, read_record

STAGING = ".staging"
_OVER = ".staged"


@dataclass(frozen=True)
class Described:
    """What is said of clips beside what they hold."""

    speaker: SpeakerRule
    val: float
    license: str
    distribute: bool


@dataclass(frozen=True)
class Assembly:
    """A corpus folder that is being made from videos. While ``.staging`` is in it, all else is unfinished."""

    folder: Path
    videos: Sequence[Video]
    settings: Settings
    described: Described

    def place(self, video: Video) -> Path:
        """The folder for the result of a video."""
        key = _digest(video.name, video.size, self.settings.digest)
        return self.folder / STAGING / key[:2] / key[2:34]

    def begin(self) -> bool:
        """Make the folder ready; False if the corpus is there already, since an interruption came after the last step.

        Raises:
            CorpusError: it holds another corpus.
        """
        staging, over = self.folder / STAGING, self._over
        if (self.folder / HEADER).exists() and over.exists():
            shutil.rmtree(over)
            return False
        if not staging.exists() and any((self.folder / name).exists() for name in (HEADER, INDEX, SHARDS)):
            got = f"{self.folder}, which is a corpus already or holds the leavings of one"
            raise CorpusError("corpus", "a new folder", got, "choose another name")
        staging.mkdir(parents=True, exist_ok=True)
        return True

    def give_up(self) -> None:
        """Remove the folder if nothing has come into it."""
        with contextlib.suppress(OSError):
            (self.folder / STAGING).rmdir()
            self.folder.rmdir()

    def finish(self) -> None:
        """Write the corpus out of the results of all videos, and remove them."""
        folder, built = self.folder, self.folder / STAGING / "corpus"
        for path in (folder / HEADER, folder / INDEX, folder / SHARDS, built):  # of an interrupted call
            _remove(path)
        self._write_refused()
        if (first := next(self._clips(), None)) is not None:
            write_shards(built, self._clips(), representation=representation_of(first.landmarks.shape))
            for name in (SHARDS, INDEX, HEADER):
                (built / name).rename(folder / name)
        # At once, so that no half of the results is ever taken for all there is.
        (folder / STAGING).rename(self._over)
        shutil.rmtree(self._over)

    @property
    def _over(self) -> Path:
        """What the results are called when the corpus is whole; the name tells which corpus."""
        videos = [(video.name, video.size) for video in self.videos]
        return self.folder / f"{_OVER}-{_digest(videos, self.settings.digest, asdict(self.described))[:16]}"

    def _clips(self) -> Iterator[Clip]:
        by = self.described
        for video in self.videos:
            speaker = speaker_of(video.name, by.speaker)
            for clip in read_clips(self.place(video)):
                yield Clip(
                    id=clip.id,
                    speaker=speaker,
                    split=split_of(speaker, by.val),
                    landmarks=clip.landmarks,
                    audio=clip.audio,
                    fps=FPS,
                    license=by.license,
                    source=video.name,
                    distribute=by.distribute,
                    image_size=clip.image_size,
                    checks=clip.checks,
                )

    def _write_refused(self) -> None:
        with atomic_output(self.folder / REFUSED) as temporary, temporary.open("w", encoding="utf-8") as stream:
            for video in self.videos:
                for line in read_record(self.place(video))["refused"]:
                    stream.write(json.dumps(line, sort_keys=True, allow_nan=False) + "\n")


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
