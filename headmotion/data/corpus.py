"""Corpora: clips in a fixed order, in either of two layouts on disk.

The layouts are shards (``corpus.json``, see `shard_writer`) and a folder of pairs (``index.csv``, see `pair_format`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from . import pair_format
from .clip import Clip
from .clip_tracks import ClipShape, ClipTracks, MotionShape, Track, track_range
from .corpus_folder import claim_folder, new_files, publish, taken
from .index_entry import CachingReader, IndexEntry
from .rejected import RejectedClip
from .shard_header import HEADER
from .shard_reader import check_shards, list_shards


class Corpus:
    """Clips in a fixed order, read on access. It can be pickled: worker processes read for themselves.

    Clips in shards are read each time; pairs are kept in memory, because they must be unpacked.
    """

    def __init__(self, entries: Iterable[IndexEntry]) -> None:
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Clip]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> Clip:
        """Read the clip at ``index``. Its landmarks may be shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        return self.entries[index].read()

    def read(
        self,
        index: int,
        tracks: Collection[Track],
        first: int = 0,
        count: int | None = None,
        *,
        audio_after_s: float = 0.0,
    ) -> ClipTracks:
        """Read some tracks of some frames of the clip at ``index``, and nothing else where the layout allows it.

        Args:
            index: which clip.
            tracks: names of tracks.
            first: first frame.
            count: number of frames; None: all from ``first`` on.
            audio_after_s: seconds of audio to read after the last frame, as far as there are any.

        Raises:
            CorpusError: the clip is damaged, or has no such track or frames.
        """
        entry = self.entries[index]
        assert entry.reader is not None
        self._check_tracks(tracks)
        cut = track_range(f"clip {entry.id}", tracks, first, count, audio_after_s, entry.reader.shape(entry.id))
        return entry.reader.read_range(entry.id, cut)

    @property
    def tracks(self) -> frozenset[Track]:
        """The tracks that all clips have."""
        return frozenset(("motion", "audio", "wave"))

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels; empty if there are none."""
        return ()

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Height and width of the pictures of ``frames`` in pixels; None if there are none."""
        return None

    @cached_property
    def frame_counts(self) -> npt.NDArray[np.int64]:
        """Number of frames ``[N]`` of each clip; no clip is read for it.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        return np.array([shape.frames for shape in self._shapes()], np.int64)

    def motion_shapes(self) -> dict[MotionShape, str]:
        """Return the shapes that the motion of clips has, each with the id of a clip that has it.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        shapes: dict[MotionShape, str] = {}
        for entry, shape in zip(self.entries, self._shapes(), strict=True):
            shapes.setdefault(shape.motion, entry.id)
        return shapes

    def id_of(self, index: int) -> str:
        """Return the id of the clip at ``index``."""
        return self.entries[index].id

    def _shapes(self) -> Iterator[ClipShape]:
        for entry in self.entries:
            assert entry.reader is not None
            yield entry.reader.shape(entry.id)

    def _check_tracks(self, tracks: Collection[Track]) -> None:
        if missing := sorted(set(tracks) - self.tracks):
            remedy = "headmotion prepare --frames keeps pictures, --labels what a detector gives per frame"
            got = ", ".join(sorted(self.tracks))
            raise CorpusError("corpus", f"the track {missing[0]!r} in all clips", got, remedy)

    def select(self, split: str | None = None, distributable: bool | None = None) -> Corpus:
        """Return the clips that meet all conditions; possibly none.

        Args:
            split: name of a split; None: any.
            distributable: whether weights trained on the clips may be given away; None: either.
        """
        return Corpus(
            entry
            for entry in self.entries
            if split in (None, entry.split) and distributable in (None, entry.distribute)
        )

    def weights(self, balance: float = 0.5) -> npt.NDArray[np.float64]:
        """Return the probability ``[N]`` of drawing each clip; they sum to 1, or are all 0 if no clip has a weight.

        Args:
            balance: 0 draws by duration, 1 gives all speakers the same probability; values between interpolate.
        """
        speaker_seconds: dict[str, float] = {}
        for entry in self.entries:
            speaker_seconds[entry.speaker] = speaker_seconds.get(entry.speaker, 0.0) + entry.seconds
        # The power -1 cancels the duration of all that a speaker says, the power 0 leaves it.
        weights = np.array(
            [entry.weight * entry.seconds * speaker_seconds[entry.speaker] ** -balance for entry in self.entries]
        )
        return np.asarray(weights / (weights.sum() or 1))

    @property
    def seconds(self) -> float:
        """Duration of all clips together, as the index states it."""
        return sum(entry.seconds for entry in self.entries)


def open_corpus(path: str | os.PathLike[str], *, license: str = "", distribute: bool = False) -> Corpus:
    """Open the corpus in the folder ``path``; clips are read on access.

    Args:
        path: folder with ``corpus.json`` or ``index.csv``.
        license: license of the media, where the index does not say.
        distribute: whether trained weights may be given away, where the index does not say.

    Raises:
        CorpusError: no index, or a part of it or a file that it names is missing or damaged.
    """
    folder = Path(path)
    if (folder / HEADER).exists():
        # Sizes only: to read every byte of a large corpus takes hours, and `inspect_corpus` does it.
        check_shards(folder)
        return Corpus(list_shards(folder, license))
    entries, rejected = list_corpus(folder, license, distribute)
    # Half a corpus that trains without a word would be worse than an error.
    if rejected:
        raise rejected[0].error
    reader = CachingReader(pair_format.PairReader(folder))
    return Corpus(replace(entry, reader=reader) for entry in entries)


def list_corpus(
    folder: Path, license: str = "", distribute: bool = False
) -> tuple[list[IndexEntry], list[RejectedClip]]:
    """Return the entries of a corpus that may be damaged, and the clips that are known to be; see `open_corpus`.

    Raises:
        CorpusError: no index, or one that cannot be read.
    """
    if (folder / HEADER).exists():
        return list_shards(folder, license), []
    if not (folder / pair_format.INDEX).exists():
        raise CorpusError("corpus", f"a folder with {HEADER} or {pair_format.INDEX}", str(folder))
    return pair_format.list_pairs(folder, license, distribute)


def open_corpora(paths: Iterable[str | os.PathLike[str]]) -> Corpus:
    """Open several corpora as one, in the order given.

    Raises:
        CorpusError: one of them cannot be opened.
    """
    return join(open_corpus(path) for path in paths)


def join(corpora: Iterable[Corpus]) -> Corpus:
    """Return opened corpora as one, in the order given."""
    return Corpus(entry for corpus in corpora for entry in corpus.entries)


def write_corpus(path: str | os.PathLike[str], clips: Iterable[Clip]) -> Path:
    """Write ``clips`` as a new folder of pairs; on any failure nothing of it is left.

    The ``checks`` of the clips are not stored; `write_shards` stores them. Files in the folder stay as they are, and so
    does a corpus that another process writes there in the meantime.

    Args:
        path: the corpus folder.
        clips: their ids must be plain file names on any system, and differ in more than case.

    Raises:
        CorpusError: the folder is a corpus already or is being written by another process, there are no clips, an id
            comes twice or cannot be used, or a clip's audio and motion differ in length.
        OSError: the folder cannot be written.
    """
    folder = Path(path)
    with claim_folder(folder):
        if any((folder / name).exists() for name in (pair_format.INDEX, HEADER)):
            raise taken(folder)
        with new_files(folder) as temporary:
            rows: dict[str, dict[str, Any]] = {}
            ids: dict[str, str] = {}
            for clip in clips:
                if clip.id in rows:
                    raise CorpusError("corpus", "ids that differ", f"{clip.id!r} twice")
                # On macOS and Windows the files of "a" are those of "A".
                if (other := ids.setdefault(clip.id.casefold(), clip.id)) != clip.id:
                    raise CorpusError("corpus", "ids that differ in more than case", f"{other!r} and {clip.id!r}")
                pair_format.write_pair(temporary, clip)
                rows[clip.id] = pair_format.index_row(clip)
            if not rows:
                raise CorpusError("corpus", "at least one clip to write", "none")
            pair_format.write_index(temporary, list(rows.values()))
            names = [name for id in rows for name in pair_format.pair_names(id)]
            # The index comes last: a folder with an index is complete.
            publish(temporary, folder, (*names, pair_format.INDEX))
    return folder
