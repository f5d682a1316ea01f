"""``corpus.json``, the header of a corpus in shards: what its clips have in common, and all of its files."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..core.errors import CorpusError
from ..core.files import reason_of
from ..core.validation import validated
from .clip_tracks import ALWAYS, MotionShape
from .pictures import MAX_EDGE, PictureFormat

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track
    from .corpus_files import CorpusFiles

FORMAT: Literal[2] = 2
"""The newest format of a corpus in shards that this version reads, and the one it writes."""
HEADER = "corpus.json"
INDEX = "index.safetensors"
"""The index of a new corpus; each time that clips are added, a later one takes its place."""
SHARDS = "shards"
COPY_AGAIN = "copy or write the corpus again"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ShardName = Annotated[str, Field(pattern=r"^[0-9]{5,7}\.safetensors$")]


class JsonRecord(BaseModel):
    """Values from a file of a corpus."""

    # Strict: an unknown field or a number as text means that another program wrote the file, perhaps with
    # another meaning.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class FileInfo(JsonRecord):
    """Size and digest of a file."""

    size: int = Field(ge=0)
    """In bytes."""
    sha256: Sha256

    @classmethod
    def for_content(cls, content: bytes) -> FileInfo:
        """Return size and digest of a file with this content."""
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    def check_size(self, corpus: str, name: str, size: int) -> None:
        """Refuse a file of another size.

        Args:
            corpus: folder or address of the corpus, for the error.
            name: the file in it.
            size: bytes that it has.

        Raises:
            CorpusError: it is longer or shorter.
        """
        if size != self.size:
            raise CorpusError(f"corpus {corpus}", f"{self.size} bytes in {name}", str(size), COPY_AGAIN)


class IndexInfo(FileInfo):
    """The index of a corpus of format 2."""

    name: str = Field(pattern=r"^index(-[0-9]{5,9})?\.safetensors$")
    """File in the corpus folder."""


class PictureInfo(JsonRecord):
    """What the pictures of all clips have in common."""

    height: int = Field(ge=1, le=MAX_EDGE)
    """In pixels."""
    width: int = Field(ge=1, le=MAX_EDGE)
    """In pixels."""
    format: PictureFormat
    """How pictures are encoded that were not when they were written."""
    quality: int = Field(ge=1, le=100)
    """Their quality."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


class ShardsHeader(JsonRecord):
    """What headers of all formats say."""

    representation: dict[str, Any]
    """Spec of the representation of the motion."""
    points: int = Field(ge=1)
    dims: int = Field(ge=1)
    fps: str = Field(pattern="^[0-9]{1,9}(/[0-9]{1,9})?$")
    """Frames per second, such as ``25`` or ``30000/1001``."""
    sample_rate: Literal[16000] = 16000
    """Samples per second."""
    clips: int = Field(ge=1)
    shards: dict[ShardName, FileInfo]

    @field_validator("fps")
    @classmethod
    def _check_positive(cls, value: str) -> str:
        numerator, _, denominator = value.partition("/")
        if not int(numerator) or (denominator and not int(denominator)):
            raise ValueError("more than 0")
        return value

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.fps)

    @property
    def motion(self) -> MotionShape:
        """What the motion of all clips has in common."""
        return MotionShape(self.points, self.dims, self.rate)

    def shard_files(self) -> dict[str, FileInfo]:
        """Return all shards by their names in the corpus folder."""
        return {f"{SHARDS}/{name}": info for name, info in self.shards.items()}


class FormatOneHeader(ShardsHeader):
    """The header of format 1: motion and sound only, and an index of lines."""

    format: Literal[1]
    index: FileInfo


class CorpusHeader(ShardsHeader):
    """The header of format 2."""

    format: Literal[2] = FORMAT
    index: IndexInfo
    labels: list[str] = []
    """Names of the labels; empty if clips have none."""
    pictures: PictureInfo | None = None
    """None if clips have none."""

    @property
    def tracks(self) -> frozenset[Track]:
        """The tracks of all clips."""
        pictures: set[Track] = {"frames"} if self.pictures else set()
        labels: set[Track] = {"labels"} if self.labels else set()
        return ALWAYS | pictures | labels


def read_header(files: CorpusFiles) -> CorpusHeader | FormatOneHeader:
    """Read the header of the corpus in shards among ``files``.

    Raises:
        CorpusError: no header, a damaged one, or one of a newer format.
    """
    component = f"corpus {files.name}"
    try:
        content = json.loads(files.read(HEADER))
    except FileNotFoundError:
        raise CorpusError("corpus", f"a folder with {HEADER}", files.name) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {HEADER}", reason_of(error), COPY_AGAIN) from None
    # Checked first, so that a newer format is not taken for a damaged one.
    version = content.get("format") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise CorpusError(component, f"format {FORMAT} or older", f"format {version}", "upgrade headmotion")
    kind: type[CorpusHeader] | type[FormatOneHeader] = FormatOneHeader if version == 1 else CorpusHeader
    return validated(kind, content, f"{component}: {HEADER}", COPY_AGAIN, CorpusError)
