"""From staged videos to the corpus, which is the same however often the work was interrupted."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..core.errors import CorpusError
from ..core.files import atomic_output, remove_folder, replace
from ..core.output_folder import require_free_folder
from ..data.clip import Clip
from ..data.corpus_folder import publish, remove, taken
from ..data.infer_representation import infer_representation
from ..data.made_from import PREPARED, is_made_from, write_record
from ..data.rejected import REJECTED
from ..data.shard_header import HEADER, INDEX, SHARDS
from ..data.shard_writer import write_shards
from ..data.split import split_of
from .find_videos import SpeakerRule, VideoFile, guess_speaker
from .settings import FPS, Settings
from .staging import read_clips, read_record

STAGING = ".staging"

_CORPUS_FILES = (SHARDS, INDEX, PREPARED, HEADER)


@dataclass(frozen=True)
class ClipMetadata:
    """What is known of a clip without looking at it; see `Clip`."""

    speaker: str
    split: str
    license: str
    distribute: bool


@dataclass(frozen=True)
class ClipMetadataRules:
    """What the user says of all clips."""

    speaker: SpeakerRule
    val: float
    """Share of speakers in the split ``val``."""
    license: str
    distribute: bool
    listed: Mapping[str, ClipMetadata] = field(default_factory=dict)
    """What an index says of the clip that belongs to a video, by the video's name; it comes first."""

    def of(self, video_name: str) -> ClipMetadata:
        """Return what is known of the clips of a video."""
        if video_name in self.listed:
            return self.listed[video_name]
        speaker = guess_speaker(video_name, self.speaker)
        return ClipMetadata(speaker, split_of(speaker, self.val), self.license, self.distribute)


@dataclass(frozen=True)
class CorpusBuilder:
    """A corpus folder that is being made from videos, and that this process has claimed.

    While ``.staging`` is in it, the work is unfinished.
    """

    folder: Path
    videos: Sequence[VideoFile]
    settings: Settings
    metadata: ClipMetadataRules

    def staging_folder(self, video: VideoFile) -> Path:
        """Return the folder in which a video is staged; its name depends on the video and the settings."""
        # Two levels, because folders with a million entries are slow.
        key = _digest(video.name, video.size, self.settings.digest)
        return self.folder / STAGING / key[:2] / key[2:34]

    def start(self) -> bool:
        """Make the folder ready; return False if it holds the corpus of the same videos and settings, complete.

        Raises:
            CorpusError: the folder holds another corpus.
        """
        for name in (STAGING, self._staged.name):
            if (self.folder / name).is_symlink():  # not of a call of ours, and what it names is somebody's
                remove(self.folder / name)
        remove(self._staged)  # of a call that was interrupted after its last step
        if self._is_complete():
            remove(self.folder / STAGING)
            return False
        self._check_free()
        (self.folder / STAGING).mkdir(exist_ok=True)
        return True

    def remove_if_empty(self) -> None:
        """Remove the staging area if nothing has been staged."""
        staging = self.folder / STAGING
        for path in (*staging.iterdir(), staging):
            with contextlib.suppress(OSError):
                path.rmdir()

    def finish(self) -> None:
        """Write the corpus from all staged videos, and remove these.

        Raises:
            CorpusError: a corpus has appeared in the folder in the meantime, or a staged video is damaged.
        """
        self._check_free()
        built = self.folder / STAGING / "corpus"
        remove(built)
        # Written first, so that a complete corpus always has it.
        self._write_rejected()
        if (first := next(self._clips(), None)) is not None:
            representation = self.settings.representation or infer_representation(first.landmarks.shape)
            quality = self.settings.frame_quality
            write_shards(built, self._clips(), representation=representation, frame_quality=quality)
            write_record(built, self._prepared)
            publish(built, self.folder, _CORPUS_FILES)
        # Renamed first, so that no half of the staged videos is ever taken for all of them.
        replace(self.folder / STAGING, self._staged)
        remove_folder(self._staged)

    @property
    def _staged(self) -> Path:
        """The name of the staging area when the corpus is complete."""
        return self.folder / ".staged"

    @property
    def _prepared(self) -> str:
        """Content of `PREPARED`."""
        videos = [(video.name, video.size) for video in self.videos]
        digest = _digest(videos, self.settings.digest, asdict(self.metadata))
        return json.dumps({"videos": len(videos), "videos_and_settings_sha256": digest})

    def _is_complete(self) -> bool:
        return is_made_from(self.folder, HEADER, self._prepared)

    def _check_free(self) -> None:
        if any((self.folder / name).exists() for name in _CORPUS_FILES):
            raise taken(self.folder, "is a corpus already, or holds parts of one")
        require_free_folder(self.folder, "corpus", CorpusError, own=(REJECTED,))

    def _clips(self) -> Iterator[Clip]:
        for video in self.videos:
            known = self.metadata.of(video.name)
            for clip in read_clips(self.staging_folder(video)):
                yield Clip(
                    id=clip.id,
                    speaker=known.speaker,
                    split=known.split,
                    landmarks=clip.landmarks,
                    audio=clip.audio,
                    fps=FPS,
                    license=known.license,
                    source=video.name,
                    distribute=known.distribute,
                    image_size=clip.image_size,
                    checks=clip.checks,
                    frames=clip.frames,
                    labels=clip.labels,
                    label_names=clip.label_names,
                )

    def _write_rejected(self) -> None:
        with (
            atomic_output(self.folder / REJECTED) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as stream,
        ):
            for video in self.videos:
                for line in read_record(self.staging_folder(video))["rejected"]:
                    stream.write(json.dumps(line, sort_keys=True, allow_nan=False) + "\n")


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
