"""What the page asks the server for, as JSON. Importing this needs no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from ..core.booleans import StrictNumbers
from ..core.errors import ServingError
from ..core.short_repr import short_repr
from ..core.unique_keys import parse_json
from ..core.validation import validated
from ..serving.protocol import Controls

MAX_TEXT = 1000
"""Letters of a text that is spoken."""
Name = str
"""Name of a face or of a take, as the server gave it."""


class _Request(StrictNumbers):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FaceRequest(_Request):
    """How a face is drawn."""

    crop: Literal["head", "none"] = "head"
    """The head only, or the whole picture."""


class PointsRequest(FaceRequest):
    """A face whose landmarks were corrected by hand."""

    landmarks: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(min_length=68, max_length=68)
    """x and y of each (px of the whole picture)."""


class ModelRequest(_Request):
    """A model from parts, such as those of plugins."""

    generator: dict[str, Any]
    """Spec of the generator."""
    representation: dict[str, Any] | None = None
    """Spec of the representation; None: landmarks."""


class TakeRequest(_Request):
    """Motion for a recording."""

    face: Name = Field(max_length=100)
    """Face whose pose the motion starts from."""
    model: str | None = Field(None, max_length=200)
    """Name of a model that the server offers; None: its first."""
    seed: int = Field(0, ge=0, lt=1 << 63)
    """Seed of the generator's noise."""
    style: str | None = Field(None, max_length=200)
    """A style of the model, if it has styles."""


class EditRequest(_Request):
    """A take after controls."""

    controls: Controls = Controls()
    """Edits of the motion."""


class SaveRequest(EditRequest):
    """A take as a file."""

    format: str = Field(max_length=20)
    """Format of the file."""
    face: Name = Field(max_length=100)
    """Face that a video shows."""
    crop: Literal["head", "none"] = "head"
    """As in `FaceRequest`."""
    renderer: dict[str, Any] | None = None
    """Spec of another renderer for a video."""


class SpeechRequest(_Request):
    """A text to be spoken."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    voice: str = Field("en-us", max_length=40, pattern=r"^[a-z0-9+-]+$")
    """Language and variant, such as ``en-us+f3``."""
    words_per_minute: int = Field(160, ge=80, le=400)


R = TypeVar("R", bound=BaseModel)


def parse(kind: type[R], text: str) -> R:
    """Read a request.

    Raises:
        ServingError: no JSON, an unknown name, or a value that does not fit.
    """
    try:
        fields = parse_json(text)
    except (ValueError, RecursionError):
        raise ServingError("studio", "JSON", short_repr(text)) from None
    return validated(kind, fields, "studio", error=ServingError)
