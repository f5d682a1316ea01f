import pickle

import pytest

from headmotion.core import errors
from headmotion.core.errors import HeadmotionError

EVERY = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]


def test_one_line_with_all_parts():
    error = HeadmotionError("mel\nspec", "n_mels:\n  at least 1", "0", "raise it\n")
    assert str(error) == "mel spec: expected n_mels: at least 1, got 0; raise it"
    assert str(HeadmotionError("a", "b", "c")) == "a: expected b, got c"


@pytest.mark.parametrize("kind", EVERY)
def test_all_derive_from_one_and_return_from_worker_processes(kind):
    assert issubclass(kind, HeadmotionError)
    error = pickle.loads(pickle.dumps(kind("component", "this", "that", "remedy")))
    assert type(error) is kind
    assert (error.component, error.expected, error.got, error.remedy) == ("component", "this", "that", "remedy")
