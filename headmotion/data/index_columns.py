"""The index of a corpus as columns: numbers as arrays, words as bytes and offsets or as codes into a table.

A clip costs no Python object: ten million are opened by mapping one file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from .array_file import Array
from .text_columns import Names, Texts


@dataclass(frozen=True, eq=False)
class IndexColumns:
    """The index of a corpus of format 2: columns over its ``N`` clips."""

    id: Texts
    """Names, unique within the corpus."""
    speaker: Names
    """Empty if unknown."""
    split: Names
    """``train``, ``val``, ``test``, or any other name."""
    source: Names
    """Where clips come from."""
    license: Names
    """Empty if unknown."""
    checks: Texts
    """What was measured of each clip, as JSON; empty if nothing was."""
    distribute: npt.NDArray[np.uint8]
    """1 if weights trained on the clip may be given away."""
    weight: npt.NDArray[np.float64]
    """Factor of the chance that training draws the clip."""
    frames: npt.NDArray[np.int32]
    """Number of motion frames."""
    image_size: npt.NDArray[np.int32]
    """``[N, 2]``: height and width of the source video in pixels; 0 if unknown."""
    shard: npt.NDArray[np.int32]
    """Number of the shard."""
    first_frame: npt.NDArray[np.int64]
    """Where the clip begins in the shard's ``motion``."""
    first_sample: npt.NDArray[np.int64]
    """Where the clip begins in the shard's ``audio``."""

    def __len__(self) -> int:
        return len(self.frames)

    def arrays(self) -> dict[str, Array]:
        """Return all columns as arrays, by the names that they have in a file."""
        result: dict[str, Array] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Names):
                result[field.name], value = value.codes, value.table
                result |= {f"{field.name}.names": value.content, f"{field.name}.names.offsets": value.offsets}
            elif isinstance(value, Texts):
                result |= {field.name: value.content, f"{field.name}.offsets": value.offsets}
            else:
                result[field.name] = value
        return result

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], shards: Collection[int]) -> Self:
        """Return the columns that `arrays` returned, checked as far as that needs no reading of texts.

        Args:
            arrays: the columns by name.
            shards: numbers of the shards that there are.

        Raises:
            ValueError: a column is missing, of another type or length, or has values that are none.
        """
        columns = _ColumnReader(arrays)
        number = columns.number
        result = cls(
            id=columns.texts("id"),
            speaker=columns.names("speaker"),
            split=columns.names("split"),
            source=columns.names("source"),
            license=columns.names("license"),
            checks=columns.texts("checks"),
            distribute=number("distribute", np.uint8),
            weight=number("weight", np.float64),
            frames=number("frames", np.int32, least=1),
            image_size=number("image_size", np.int32, 2),
            shard=number("shard", np.int32),
            first_frame=number("first_frame", np.int64),
            first_sample=number("first_sample", np.int64),
        )
        if not np.isfinite(result.weight).all():
            raise ValueError("weights that are not finite")
        is_known = np.zeros(max(shards, default=0) + 1, np.bool_)
        is_known[list(shards)] = True
        # Where a number is too large, the last one stands for it.
        unknown = (result.shard >= len(is_known)) | ~is_known[np.minimum(result.shard, len(is_known) - 1)]
        if unknown.any():
            raise ValueError(f"the shard {result.shard[unknown.argmax()]}, which its header does not name")
        return result


@dataclass(frozen=True)
class _ColumnReader:
    """Reads columns one by one, and checks each."""

    arrays: Mapping[str, Array]

    @cached_property
    def count(self) -> int:
        return len(self.array("frames", np.int32))

    def array(self, name: str, dtype: npt.DTypeLike, *shape: int) -> Array:
        array = self.arrays.get(name)
        if array is None or array.dtype != dtype or array.ndim != 1 + len(shape) or array.shape[1:] != shape:
            got = "none" if array is None else f"{array.dtype} {list(array.shape)}"
            raise ValueError(f"{got} for the column {name!r}")
        return array

    def number(self, name: str, dtype: npt.DTypeLike, *shape: int, least: int = 0) -> Array:
        array = self.array(name, dtype, *shape)
        if len(array) != self.count:
            raise ValueError(f"{len(array)} values of {name!r} for {self.count} clips")
        if len(array) and array.min() < least:
            raise ValueError(f"{array.min()} among {name!r}")
        return array

    def texts(self, name: str, count: int | None = None) -> Texts:
        texts = Texts(self.array(name, np.uint8), self.array(f"{name}.offsets", np.int64))
        if len(texts.offsets) != (self.count if count is None else count) + 1:
            raise ValueError(f"{len(texts)} values of {name!r} for {self.count} clips")
        return texts

    def names(self, name: str) -> Names:
        codes = self.number(name, np.int32)
        offsets = self.array(f"{name}.names.offsets", np.int64)
        table = self.texts(f"{name}.names", len(offsets) - 1)
        table.check()
        if len(codes) and codes.max() >= len(table):
            raise ValueError(f"the {name} {codes.max()} of {len(table)}")
        return Names(codes, table)


def concatenate(parts: Sequence[IndexColumns], first_shards: Sequence[int]) -> IndexColumns:
    """Return several indexes as one, in order.

    Args:
        parts: the indexes.
        first_shards: what is added to the shard numbers of each.
    """
    columns: dict[str, Any] = {}
    for field in fields(IndexColumns):
        values = [getattr(part, field.name) for part in parts]
        kind = type(values[0])
        columns[field.name] = kind.join(values) if kind in (Names, Texts) else np.concatenate(values)
    added = np.repeat(np.array(first_shards, np.int32), [len(part) for part in parts])
    columns["shard"] = columns["shard"] + added
    return IndexColumns(**columns)
