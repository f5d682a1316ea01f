"""What the files ``corpus.json`` and ``index.jsonl`` of a corpus in shards say."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..core.errors import CorpusError, first_problem

FORMAT: Literal[1] = 1
"""The newest format of a corpus in shards that this version reads, and the one it writes."""
HEADER = "corpus.json"
INDEX = "index.jsonl"
SHARDS = "shards"
COPY_ANEW = "copy or write the corpus anew"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ShardName = Annotated[str, Field(pattern=r"^[0-9]{5,}\.safetensors$")]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def text(self) -> str:
        """The same values as the same JSON, always."""
        return json.dumps(self.model_dump(), sort_keys=True, allow_nan=False)


class FileInfo(_Stored):
    """Size and digest of a file."""

    size: int = Field(ge=0)
    """In bytes."""
    sha256: Sha256

    @classmethod
    def of(cls, content: bytes) -> FileInfo:
        """Of a file with this content."""
        return cls(size=len(content), sha256=hashlib.sha256(content).hexdigest())


class CorpusHeader(_Stored):
    """``corpus.json``: what holds for all clips, and the files that belong to the corpus."""

    format: Literal[1] = FORMAT
    representation: dict[str, Any]
    """Spec of the representation that the landmarks are in."""
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
    def _positive(cls, value: str) -> str:
        numerator, _, denominator = value.partition("/")
        if not int(numerator) or (denominator and not int(denominator)):
            raise ValueError("not above 0")
        return value

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return Fraction(self.fps)


class IndexLine(_Stored):
    """One line of ``index.jsonl``: what is known of a clip without reading it."""

    id: str = Field(min_length=1)
    speaker: str
    """Empty if nobody knows."""
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


def read_header(folder: Path) -> CorpusHeader:
    """The header of the corpus in shards in ``folder``.

    Raises:
        CorpusError: no header, a damaged one, or one of a format that is not known yet.
    """
    component = f"corpus {folder}"
    try:
        content = json.loads((folder / HEADER).read_bytes())
    except FileNotFoundError:
        raise CorpusError("corpus", f"a folder with {HEADER}", str(folder)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {HEADER}", type(error).__name__, COPY_ANEW) from None
    form = content.get("format") if isinstance(content, dict) else None
    if isinstance(form, int) and form > FORMAT:
        raise CorpusError(component, f"format {FORMAT} or older", f"format {form}", "upgrade headmotion")
    try:
        return CorpusHeader.model_validate(content)
    except ValidationError as error:
        raise CorpusError(component, f"a whole {HEADER}", first_problem(error), COPY_ANEW) from None
