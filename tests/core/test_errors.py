import pickle

import pytest

from headmotion.core import errors
from headmotion.core.errors import HeadmotionError, describe, did_you_mean, printable

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


def test_names_that_are_alike_are_suggested_and_no_others():
    known = ["guidance", "head_amount", "hidden_size"]
    assert did_you_mean("guidence", known) == "did you mean 'guidance'?"
    assert did_you_mean("guidence", known[1:], "the fields are a, b") == "the fields are a, b"


def test_what_is_too_long_is_shortened_in_one_place():
    error = HeadmotionError("sample rate", "one of " + "a-name, " * 200, f"{10**400}", "a remedy")
    assert str(error).startswith("sample rate: expected one of a-name, ")
    assert str(error).endswith("got 10000000000000000000...; a remedy")
    assert "a-name, ..." in error.expected and len(error.expected) <= errors.MAX_PART, "not in the middle of a word"
    path = HeadmotionError("file", "a motion", f"{'folder/' * 100}a.npz (cut short)")
    assert path.got.startswith("folder/") and path.got.endswith("a.npz (cut short)"), "the reason comes last"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
