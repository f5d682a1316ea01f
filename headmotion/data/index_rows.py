"""Rows of the index of a corpus, gathered clip by clip."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import numpy as np

from ..core.errors import CorpusError
from ..core.short_repr import short_repr
from .clip import Clip
from .index_columns import IndexColumns
from .text_columns import Names, Texts


class IndexRows:
    """What is known of each clip, to become the columns of an index."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = defaultdict(list)
        self._ids: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        """Return whether a clip of this id has been added."""
        return id in self._ids

    def add(self, clip: Clip, shard: int, first_frame: int, first_sample: int) -> None:
        """Add a clip.

        Args:
            clip: the clip, whose id is new.
            shard: number of its shard.
            first_frame: where it begins in the shard's ``motion``.
            first_sample: where it begins in the shard's ``audio``.

        Raises:
            CorpusError: a field has a value that no index can hold.
        """
        size = clip.image_size if clip.frames is None or clip.picture_box is None else clip.frames.size
        values = {
            "speaker": _text(clip, "speaker"),
            "split": _text(clip, "split"),
            "source": _text(clip, "source"),
            "license": _text(clip, "license"),
            "checks": _checks(clip),
            "distribute": int(bool(clip.distribute)),
            "weight": _weight(clip),
            "frames": len(clip.landmarks),
            "image_size": (0, 0) if size is None else [int(edge) for edge in size],
            "shard": shard,
            "first_frame": first_frame,
            "first_sample": first_sample,
        }
        for name, value in values.items():
            self._values[name].append(value)
        self._ids[clip.id] = None

    def columns(self) -> IndexColumns:
        """Return the index."""
        values = self._values
        return IndexColumns(
            id=Texts.of(self._ids),
            speaker=Names.of(values["speaker"]),
            split=Names.of(values["split"]),
            source=Names.of(values["source"]),
            license=Names.of(values["license"]),
            checks=Texts.of(values["checks"]),
            distribute=np.array(values["distribute"], np.uint8),
            weight=np.array(values["weight"], np.float64),
            frames=np.array(values["frames"], np.int32),
            image_size=np.array(values["image_size"], np.int32),
            shard=np.array(values["shard"], np.int32),
            first_frame=np.array(values["first_frame"], np.int64),
            first_sample=np.array(values["first_sample"], np.int64),
        )


def _text(clip: Clip, field: str) -> str:
    value = getattr(clip, field)
    if not isinstance(value, str) or (field == "split" and not value):
        raise CorpusError(f"clip {clip.id}", f"a text as {field}", short_repr(value))
    return value


def _weight(clip: Clip) -> float:
    weight = float(clip.weight)
    if not 0 <= weight < float("inf"):
        raise CorpusError(f"clip {clip.id}", "a finite weight from 0", str(weight))
    return weight


def _checks(clip: Clip) -> str:
    try:
        return json.dumps(dict(clip.checks), sort_keys=True, allow_nan=False) if clip.checks else ""
    except (TypeError, ValueError, RecursionError) as error:
        raise CorpusError(f"clip {clip.id}", "checks of JSON values", str(error)) from None
