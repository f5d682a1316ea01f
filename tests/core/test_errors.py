import pickle

import pytest
from pydantic import BaseModel, ValidationError

from headmotion.core import errors
from headmotion.core.errors import HeadmotionError, describe, first_problem, printable

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HeadmotionError)]


def test_one_line_with_all_parts():
    error = HeadmotionError("mel\nspec", "n_mels:\n  at least 1", "0", "raise it\n")
    assert str(error) == "mel spec: expected n_mels: at least 1, got 0; raise it"
    assert str(HeadmotionError("a", "b", "c")) == "a: expected b, got c"


@pytest.mark.parametrize("kind", ERRORS)
def test_all_derive_from_one_and_return_from_worker_processes(kind):
    assert issubclass(kind, HeadmotionError)
    error = pickle.loads(pickle.dumps(kind("component", "this", "that", "remedy")))
    assert type(error) is kind
    assert (error.component, error.expected, error.got, error.remedy) == ("component", "this", "that", "remedy")


def test_a_terminal_obeys_nothing_of_a_message():
    error = HeadmotionError("file \x1b]0;title\x07", "a\u202eb", "\x9b31m \x7f\r\n", "\u2066x")
    assert str(error) == r"file \x1b]0;title\x07: expected a\u202eb, got \x9b31m \x7f ; \u2066x"
    assert printable("schön 日本 𝄞 \xa0\udc80") == "schön 日本 𝄞 \xa0\udc80", "what a terminal shows stays"


class Mute(Exception):
    def __str__(self):
        raise SystemExit


def test_any_exception_can_be_described():
    assert describe(ValueError("a\n\x1bb")) == r"ValueError: a \x1bb"
    assert describe(Mute()) == "Mute, whose message cannot be read (SystemExit)"
    assert len(describe(ValueError("x" * 10_000))) == 500


class Point(BaseModel):
    x: float
    y: float


class Line(BaseModel):
    points: list[Point]


def test_the_first_problem_is_one_line_with_its_place():
    with pytest.raises(ValidationError) as caught:
        Line.model_validate({"points": [{"x": 1, "y": 2}, {"x": "wide", "y": 1}, {}]})
    assert first_problem(caught.value).startswith("points.1.x: Input should be a valid number")
    with pytest.raises(ValidationError) as caught:
        Line.model_validate([])
    assert first_problem(caught.value).startswith("Input should be a valid dictionary")
