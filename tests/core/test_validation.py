from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from headmotion.core.booleans import StrictNumbers
from headmotion.core.errors import HeadmotionError, MotionError
from headmotion.core.validation import validated


class Point(StrictNumbers):
    model_config = ConfigDict(extra="forbid")

    x: float = Field(0.0, ge=-1, le=1)
    taps: int = Field(1, gt=0)


class Picture(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1)


class Drawing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    points: list[Point] = []
    of: Point | Picture | None = None
    guidance: float = Field(1.0, ge=0)
    edge: int = Field(16, multiple_of=16)
    names: dict[str, float | tuple[float, ...]] = {}
    color: Literal["red", "blue"] = "red"
    odd: int = 1

    @field_validator("odd")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number")
        return value


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "drawing: expected fields by name, got []; draw again"),
        ({"guidance": -1}, "drawing: expected guidance: 0 or more, got -1; draw again"),
        ({"guidence": 2}, "drawing: expected no field 'guidence', got 2; did you mean 'guidance'?"),
        ({"points": [{}, {"x": 2}]}, "drawing: expected points.1.x: a number from -1 to 1, got 2; draw again"),
        ({"points": [{"tap": 2}]}, "drawing: expected no field 'points.0.tap', got 2; did you mean 'taps'?"),
        ({"points": [{"taps": True}]}, "drawing: expected points.0.taps: a number, got True; draw again"),
        ({"points": [{"taps": 0}]}, "drawing: expected points.0.taps: more than 0, got 0; draw again"),
        ({"of": {"size": 0}}, "drawing: expected of.size: 1 or more, got 0; draw again"),
        ({"edge": 17}, "drawing: expected edge: a multiple of 16, got 17; draw again"),
        ({"edge": 1.5}, "drawing: expected edge: a whole number, got 1.5; draw again"),
        ({"names": {"a": "b"}}, "drawing: expected names.a: a number, got 'b'; draw again"),
        ({"color": "green"}, "drawing: expected color: 'red' or 'blue', got 'green'; draw again"),
        ({"odd": 2}, "drawing: expected odd: an odd number, got 2; draw again"),
        ({"guidance": "x" * 1000}, f"drawing: expected guidance: a number, got '{'x' * 56}...{'x' * 19}'; draw again"),
    ],
)
def test_a_mistake_is_one_error_in_words_of_this_library(fields, message):
    with pytest.raises(MotionError) as caught:
        validated(Drawing, fields, "drawing", "draw again", MotionError)
    assert str(caught.value) == message


def test_a_field_that_is_missing_is_named():
    with pytest.raises(HeadmotionError, match=r"^picture: expected the field 'size', got none; add 'size'$"):
        validated(Picture, {}, "picture")


def test_what_fits_is_returned():
    assert validated(Drawing, {"guidance": 2, "of": {"size": 3}}, "drawing").of == Picture(size=3)
