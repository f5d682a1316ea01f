"""The contents of ``corpus.json`` and ``index.jsonl``, the header and the index of a corpus in shards."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..core.errors import CorpusError, first_problem
from .clip_tracks import MotionShape
from .corpus_folder import is_inside

FORMAT: Literal[1] = 1
"""The newest format of a corpus in shards that this version reads, and the one it writes."""
HEADER = "corpus.json"
INDEX = "index.jsonl"
SHARDS = "shards"
COPY_AGAIN = "copy or write the corpus again"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ShardName = Annotated[str, Field(pattern=r"^[0-9]{5,}\.safetensors$")]


class _JsonRecord(BaseModel):
    # Strict: an unknown field or a number as text means that another program wrote the file, perhaps with
    # another meaning.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def text(self) -> str:
        """Return the values as JSON; equal values give equal text."""
        return json.dumps(self.model_dump(), sort_keys=True, allow_nan=False)


class FileInfo(_JsonRecord):
    """Size and digest of a file."""

    size: int = Field(ge=0)
    """In bytes."""
    sha256: Sha256

    @classmethod
    def for_content(cls, content: bytes) -> FileInfo:
        """Return size and digest of a file with this content."""
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest())


class CorpusHeader(_JsonRecord):
    """``corpus.json``: what all clips have in common, and the files of the corpus."""

    format: Literal[1] = FORMAT
    representation: dict[str, Any]
    """Spec of the representation of the landmarks."""
    points: int = Field(ge=1)
    dims: int = Field(ge=1)
    fps: str = Field(pattern="^[0-9]{1,9}(/[0-9]{1,9})?$")
    """Frames per second, such as ``25`` or ``30000/1001``."""
    sample_rate: Literal[16000] = 16000
    """Samples per second."""
    clips: int = Field(ge=1)
    index: FileInfo
    shards: dict[ShardName, FileInfo]

    @field_validator("fps")
    @classmethod
    def _check_positive(cls, value: str) -> str:
        numerator, _, denominator = value.partition("/")
        if not int(numerator) or (denominator and not int(denominator)):
            raise ValueError("not above 0")
        return value

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.fps)

    @property
    def motion(self) -> MotionShape:
        """What the motion of all clips has in common."""
        return MotionShape(self.points, self.dims, self.rate)


class IndexLine(_JsonRecord):
    """One line of ``index.jsonl``: what is known of a clip without reading its shard."""

    id: str = Field(min_length=1)
    speaker: str
    """Empty if unknown."""
    split: str = Field(min_length=1)
    source: str
    license: str
    distribute: bool
    weight: float = Field(ge=0)
    frames: int = Field(ge=1)
    seconds: float = Field(gt=0)
    image_size: Annotated[list[int], Field(min_length=2, max_length=2)] | None
    """Height and width of the source video in pixels."""
    shard: ShardName
    checks: dict[str, Any]

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not is_inside(value):
            raise ValueError("not a relative path within the folder")
        return value


def read_header(folder: Path) -> CorpusHeader:
    """Read the header of the corpus in shards in ``folder``.

    Raises:
        CorpusError: no header, a damaged one, or one of a newer format.
    """
    component = f"corpus {folder}"
    try:
        content = json.loads((folder / HEADER).read_bytes())
    except FileNotFoundError:
        raise CorpusError("corpus", f"a folder with {HEADER}", str(folder)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {HEADER}", type(error).__name__, COPY_AGAIN) from None
    # Looked at before all else, so that a newer format is not taken for a damaged one.
    version = content.get("format") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise CorpusError(component, f"format {FORMAT} or older", f"format {version}", "upgrade headmotion")
    try:
        return CorpusHeader.model_validate(content)
    except ValidationError as error:
        raise CorpusError(component, f"a valid {HEADER}", first_problem(error), COPY_AGAIN) from None


def check_size(folder: Path, name: str, info: FileInfo) -> None:
    """Raise an error for a file that is not as long as the header says.

    Raises:
        CorpusError: the file is missing, or longer or shorter.
    """
    try:
        size = (folder / name).stat().st_size
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise CorpusError(f"corpus {folder}", f"the file {name}", got, COPY_AGAIN) from None
    if size != info.size:
        raise CorpusError(f"corpus {folder}", f"{info.size} bytes in {name}", str(size), COPY_AGAIN)
