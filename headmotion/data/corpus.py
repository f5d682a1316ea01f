"""Corpora: clips in a fixed order, in either of two layouts on disk.

The layouts are shards (``corpus.json``, see `shard_writer`) and a folder of pairs (``index.csv``, see `pair_format`).
A corpus is made of sections, each a selection of one index, so that choosing among ten million clips copies nothing.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from ..core.arguments import as_path, as_texts
from ..core.errors import CorpusError
from ..core.html_table import html_table
from ..core.output_folder import require_free_folder
from ..core.short_repr import shown
from . import pair_format, pair_index
from .clip import Clip
from .clip_tracks import ALWAYS, ClipTracks, MotionShape, track_range
from .corpus_files import CorpusFiles, LocalFiles, corpus_files
from .corpus_folder import claim_folder, new_files, publish, taken
from .corpus_section import Section
from .index_entry import CachingReader, IndexEntry
from .made_from import is_made_from, write_record
from .memory_index import MemoryIndex
from .rejected import RejectedClip
from .shard_format1 import list_format1
from .shard_header import HEADER, CorpusHeader, FormatOneHeader, read_header
from .shard_index import ShardIndex
from .shard_reader import ShardReader
from .text_columns import Names

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track


SHOWN_CLIPS = 8
"""Clips that a notebook shows."""


class Entries(Sequence[IndexEntry]):
    """The entries of a corpus, each made when it is asked for."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def __len__(self) -> int:
        return len(self._corpus)

    @overload
    def __getitem__(self, index: int) -> IndexEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[IndexEntry]: ...
    def __getitem__(self, index: int | slice) -> IndexEntry | list[IndexEntry]:
        """Return an entry, or some.

        Raises:
            CorpusError: the index is damaged there.
        """
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        return self._corpus.entry(index)


class Corpus:
    """Clips in a fixed order, read on access. It can be pickled: worker processes read for themselves.

    Clips in shards are read each time; pairs are kept in memory, because they must be unpacked.
    """

    def __init__(self, entries: Iterable[IndexEntry] = (), *, sections: Iterable[Section] = ()) -> None:
        listed = tuple(entries)
        # Those without clips would only hide tracks that all others have.
        self.sections = tuple(part for part in (Section(MemoryIndex(listed)), *sections) if len(part))
        self._starts = [0, *accumulate(map(len, self.sections))]

    def __repr__(self) -> str:
        # What costs nothing: the index of ten million clips is not read for it.
        return f"<Corpus: {len(self)} clips>"

    def _repr_html_(self) -> str:
        """Return what notebooks show: the first clips, and how long all are; no clip is read for it."""
        # Of a file per clip, as in a folder of pairs, the lengths are read from as many files.
        rows = {}
        for index in range(min(SHOWN_CLIPS, len(self))):
            entry = self.entry(index)
            rows[entry.id] = entry.speaker, entry.split, f"{entry.seconds:.1f} s"
        seconds = float(sum(part.index.seconds[part.rows].sum() for part in self.sections))
        note = f"{len(self):,} clips, {seconds / 3600:.2f} h, tracks {', '.join(sorted(self.tracks))}"
        return html_table("Corpus", ("clip", "speaker", "split", "length"), rows, note)

    def __len__(self) -> int:
        return self._starts[-1]

    def __iter__(self) -> Iterator[Clip]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> Clip:
        """Read the clip at ``index``. Its landmarks may be shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        return self.entry(index).read()

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
        self._check_tracks(tracks)
        section, row = self._find(index)
        shape = section.index.shape(row)
        component = f"clip {section.index.id(row)}"
        return section.index.read_range(row, track_range(component, tracks, first, count, audio_after_s, shape))

    @property
    def entries(self) -> Entries:
        """What is known of each clip without reading it; entries are made when they are asked for."""
        return Entries(self)

    def entry(self, index: int) -> IndexEntry:
        """Return what is known of the clip at ``index`` without reading it.

        Raises:
            CorpusError: the index is damaged there.
        """
        section, row = self._find(index)
        return section.entry(row)

    def id_of(self, index: int) -> str:
        """Return the id of the clip at ``index``."""
        section, row = self._find(index)
        return section.index.id(row)

    @cached_property
    def tracks(self) -> frozenset[Track]:
        """The tracks that all clips have; `select` finds the clips that have more."""
        return frozenset.intersection(*({part.index.tracks(part.rows) for part in self.sections} or {ALWAYS}))

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels; empty if there are none.

        Raises:
            CorpusError: they differ between clips.
        """
        return self._common("labels", "label_names") or ()

    @cached_property
    def picture_size(self) -> tuple[int, int] | None:
        """Height and width of the pictures of ``frames`` in pixels; None if there are none.

        Raises:
            CorpusError: they differ between clips, or a video of a folder of pairs is damaged.
        """
        size: tuple[int, int] | None = self._common("frames", "picture_sizes")
        return size

    @cached_property
    def frame_counts(self) -> npt.NDArray[np.int64]:
        """Number of frames ``[N]`` of each clip; no clip is read for it.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        return self._column([part.index.frame_counts(part.rows) for part in self.sections], np.int64)

    def motion_shapes(self) -> dict[MotionShape, str]:
        """Return the shapes that the motion of clips has, each with the id of a clip that has it.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        shapes: dict[MotionShape, str] = {}
        for part in self.sections:
            shapes = part.index.motion_shapes(part.rows) | shapes
        return shapes

    def select(
        self,
        split: str | None = None,
        distributable: bool | None = None,
        tracks: Collection[Track] = (),
    ) -> Corpus:
        """Return the clips that meet all conditions; possibly none.

        Args:
            split: name of a split; None: any.
            distributable: whether weights trained on the clips may be given away; None: either.
            tracks: tracks that each clip must have.

        Raises:
            CorpusError: a split that is no text.
            HeadmotionError: tracks that are no list of texts.
        """
        if not isinstance(split, str | None):
            raise CorpusError("corpus", "the name of a split", shown(split))
        tracks = as_texts(tracks, "corpus", "names of tracks")
        return Corpus(sections=[part.select(split, distributable, tracks) for part in self.sections])

    def in_split(self, split: str) -> npt.NDArray[np.bool_]:
        """Return whether each clip ``[N]`` is in a split."""
        return self._column([part.splits.equal(split)[part.rows] for part in self.sections], np.bool_)

    def split_by_speaker(self, val: float = 0.1, test: float = 0.0, seed: int = 0) -> Corpus:
        """Return the same clips with the split of their speaker; see `split_of`.

        Raises:
            CorpusError: shares below 0, or more than 1 together.
        """
        return Corpus(sections=[part.split_by_speaker(val, test, seed) for part in self.sections])

    def weights(self, balance: float = 0.5) -> npt.NDArray[np.float64]:
        """Return the probability ``[N]`` of drawing each clip; they sum to 1, or are all 0 if no clip has a weight.

        Args:
            balance: 0 draws by duration, 1 gives all speakers the same probability; values between interpolate.
        """
        speakers = self._names([part.index.speakers for part in self.sections])
        seconds = self._column([part.index.seconds[part.rows] for part in self.sections])
        weights = self._column([part.index.weights[part.rows] for part in self.sections])
        of_speaker = np.bincount(speakers.codes, seconds, minlength=len(speakers.table))
        # The power -1 cancels the duration of all that a speaker says, the power 0 leaves it. Python's power, because
        # NumPy's differs from one processor to the next.
        factors = np.array([total**-balance if total else 0.0 for total in of_speaker.tolist()])
        weights = weights / (weights.max(initial=0) or 1)  # else the product or the sum of very large ones overflows
        result = weights * seconds * factors[speakers.codes] if len(self) else np.zeros(0)
        return np.asarray(result / (result.sum() or 1))

    @property
    def seconds(self) -> float:
        """Duration of all clips together, as the index states it."""
        return float(sum(part.index.seconds[part.rows].sum() for part in self.sections))

    @property
    def speakers(self) -> set[str]:
        """Names of all speakers; an unknown one is empty."""
        return self._distinct([part.index.speakers for part in self.sections])

    @cached_property
    def speaker_codes(self) -> npt.NDArray[np.int32]:
        """A number from 0 for each clip ``[N]``, equal for clips of one speaker."""
        return self._names([part.index.speakers for part in self.sections]).codes

    @property
    def splits(self) -> set[str]:
        """Names of all splits."""
        return self._distinct([part.splits for part in self.sections])

    @property
    def sources(self) -> set[str]:
        """Where clips come from; for a clip that does not say, the name of its corpus folder."""
        return self._distinct([part.index.sources for part in self.sections])

    @property
    def licenses(self) -> set[str]:
        """Licenses of clips, as far as they are known."""
        return self._distinct([part.index.licenses for part in self.sections]) - {""}

    def _find(self, index: int) -> tuple[Section, int]:
        """Return where the clip at ``index`` is."""
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise CorpusError("corpus", "the number of a clip, such as corpus[0]", shown(index))
        index = index + len(self) if index < 0 else index
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self._starts, index) - 1
        section = self.sections[number]
        return section, section.row(index - self._starts[number])

    def _check_tracks(self, tracks: Collection[Track]) -> None:
        tracks = as_texts(tracks, "corpus", "names of tracks")
        if missing := sorted(set(tracks) - self.tracks):
            remedy = "headmotion prepare --frames keeps pictures, --labels what a detector gives per frame"
            got = ", ".join(sorted(self.tracks))
            raise CorpusError("corpus", f"the track {missing[0]!r} in all clips", got, remedy)

    def _common(self, track: Track, method: str) -> Any:
        """Return what all clips have in common of a track; None if not all have it."""
        if track not in self.tracks:
            return None
        values = set().union(*(getattr(part.index, method)(part.rows) for part in self.sections))
        if len(values) > 1:
            got = " and ".join(str(value) for value in sorted(values)[:2])
            raise CorpusError("corpus", f"one kind of {track} in all clips", got, "use corpora of one kind at a time")
        return next(iter(values), None)

    def _column(self, parts: list[npt.NDArray[Any]], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, dtype), *parts])

    def _names(self, columns: Sequence[Names]) -> Names:
        """Return the name of each clip in order, from the columns of the sections."""
        selected = [
            Names(names.codes[part.rows], names.table) for part, names in zip(self.sections, columns, strict=True)
        ]
        return selected[0] if len(selected) == 1 else Names.join(selected)

    def _distinct(self, columns: Sequence[Names]) -> set[str]:
        return {
            names.table[int(code)]
            for part, names in zip(self.sections, columns, strict=True)
            for code in np.unique(names.codes[part.rows])
        }


def open_corpus(
    path: str | os.PathLike[str],
    *,
    license: str = "",
    distribute: bool = False,
    cache: str | os.PathLike[str] | None = None,
    cache_bytes: int | None = None,
) -> Corpus:
    """Open the corpus in the folder ``path``; clips are read on access.

    Args:
        path: folder with ``corpus.json`` or ``index.csv``; or the address of one with ``corpus.json`` that fsspec
            opens, such as ``s3://bucket/corpus``, which needs ``pip install 'headmotion[remote]'``.
        license: license of the media, where the index does not say.
        distribute: whether trained weights may be given away, where an ``index.csv`` does not say.
        cache: folder in which files of an address are kept; None is ``~/.cache/headmotion``.
        cache_bytes: size of that folder beyond which the files that were not used for longest are removed; None: never.

    Raises:
        CorpusError: no index, or a part of it or a file that it names is missing or damaged.
    """
    files = corpus_files(path, cache, cache_bytes)
    header = read_header(files) if files.exists(HEADER) else None
    if header is not None:
        # Sizes only: to read every byte of a large corpus takes hours, and `inspect_corpus` does it.
        files.check_sizes(header.shard_files())
        return _open_shards(files, header, license)
    corpus, rejected = list_corpus(files, license, distribute)
    # Half a corpus that trains without a word would be worse than an error.
    if rejected:
        raise rejected[0].error
    return corpus


def list_corpus(files: CorpusFiles, license: str = "", distribute: bool = False) -> tuple[Corpus, list[RejectedClip]]:
    """Return the clips of a corpus that may be damaged, and those that are known to be; see `open_corpus`.

    Raises:
        CorpusError: no index, or one that cannot be read.
    """
    if files.exists(HEADER):
        return _open_shards(files, read_header(files), license), []
    if not isinstance(files, LocalFiles):
        raise CorpusError("corpus", f"{HEADER} at the address", files.name, "folders of pairs are read on this machine")
    if not files.exists(pair_index.INDEX):
        got = files.name if files.folder.is_dir() else f"{files.name}, which is no folder"
        remedy = "headmotion prepare makes a corpus of videos, or of landmarks with speech"
        raise CorpusError("corpus", f"a folder with {HEADER} or {pair_index.INDEX}", got, remedy)
    entries, rejected = pair_index.list_pairs(files.folder, license, distribute)
    reader = CachingReader(pair_format.PairReader(files.folder))
    return Corpus(replace(entry, reader=reader) for entry in entries), rejected


def _open_shards(files: CorpusFiles, header: CorpusHeader | FormatOneHeader, license: str) -> Corpus:
    if isinstance(header, FormatOneHeader):
        return Corpus(list_format1(files, header, license))
    return Corpus(sections=[Section(ShardIndex(ShardReader(files, header), license))])


def open_corpora(paths: Iterable[str | os.PathLike[str]]) -> Corpus:
    """Open several corpora as one, in the order given.

    Raises:
        CorpusError: one of them cannot be opened.
    """
    return join(open_corpus(path) for path in paths)


def join(corpora: Iterable[Corpus]) -> Corpus:
    """Return opened corpora as one, in the order given."""
    return Corpus(sections=[section for corpus in corpora for section in corpus.sections])


def write_corpus(path: str | os.PathLike[str], clips: Iterable[Clip], made_from: str = "") -> Path:
    """Write ``clips`` as a new folder of pairs; on any failure nothing of it is left.

    The ``checks`` of the clips are not stored; `write_shards` stores them. A corpus that another process writes there
    in the meantime stays as it is.

    Args:
        path: the corpus folder.
        clips: their ids must be plain file names on any system, and differ in more than case.
        made_from: as in `write_shards`.

    Raises:
        CorpusError: the folder is a corpus already, holds files of others or is being written by another process, there
            are no clips, an id comes twice or cannot be used, or a clip's audio and motion differ in length.
        OSError: the folder cannot be written.
    """
    folder = as_path(path, "corpus", CorpusError)
    with claim_folder(folder):
        if made_from and is_made_from(folder, pair_index.INDEX, made_from):
            return folder
        if any((folder / name).exists() for name in (pair_index.INDEX, HEADER)):
            raise taken(folder)
        require_free_folder(folder, "corpus", CorpusError)
        with new_files(folder) as temporary:
            rows: dict[str, dict[str, Any]] = {}
            ids: dict[str, str] = {}
            for clip in clips:
                if clip.id in rows:
                    raise CorpusError("corpus", "ids that differ", f"{clip.id!r} twice")
                # On macOS and Windows the files of "a" are those of "A".
                if (existing := ids.setdefault(clip.id.casefold(), clip.id)) != clip.id:
                    raise CorpusError("corpus", "ids that differ in more than case", f"{existing!r} and {clip.id!r}")
                pair_format.write_pair(temporary, clip)
                rows[clip.id] = pair_index.index_row(clip)
            if not rows:
                raise CorpusError("corpus", "at least one clip to write", "none")
            pair_index.write_index(temporary, list(rows.values()))
            names = [name for id in rows for name in pair_format.pair_names(id)]
            if made_from:
                names.append(write_record(temporary, made_from))
            # The index comes last: a folder with an index is complete.
            publish(temporary, folder, (*names, pair_index.INDEX))
    return folder
