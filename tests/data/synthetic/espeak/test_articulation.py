# ruff: noqa: RUF001
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmotion.data.synthetic.espeak.coarticulation import articulate
from headmotion.data.synthetic.espeak.espeak_speech import Phoneme
from headmotion.data.synthetic.espeak.spoken_face import SpokenFaceMotion, pose_spoken_faces
from headmotion.data.synthetic.espeak.visemes import SILENCE, VISEMES, VisemeSegment, to_viseme_segments
from headmotion.data.synthetic.face_model import make_face_identity
from headmotion.data.synthetic.head_path import HeadPath

TIMES = np.arange(0, 1.0, 0.005)


def said(symbols: str, seconds: float = 0.1) -> tuple[VisemeSegment, ...]:
    """Phonemes one after another, with silence of 0.2 s around."""
    names = symbols.split()
    starts = [0.2 + seconds * k for k in range(len(names) + 1)]
    spoken = tuple(Phoneme(name, a, a, b) for name, a, b in zip(names, starts, starts[1:], strict=False))
    return (
        VisemeSegment(SILENCE, 0, 0.2),
        *to_viseme_segments(spoken),
        VisemeSegment(SILENCE, starts[-1], starts[-1] + 0.2),
    )


def within(curve, start: float, end: float):
    return curve[(start <= TIMES) & (end > TIMES)]


def test_lips_close_on_bilabials_and_open_on_vowels():
    mouth = articulate(said("ɑ b ɑ m iː"), TIMES)
    assert not within(mouth.opening, 0.3, 0.4).any() and not within(mouth.opening, 0.5, 0.6).any()
    assert within(mouth.opening, 0.23, 0.27).min() > 0.6 and within(mouth.opening, 0.44, 0.46).min() > 0.6
    assert within(mouth.opening, 0.62, 0.68).max() < within(mouth.opening, 0.44, 0.46).max()
    assert mouth.opening[0] < 0.05 and mouth.opening[-1] < 0.05


def test_a_short_bilabial_is_held_long_enough_for_a_frame_to_see_it():
    parts = (
        VisemeSegment(VISEMES["a"], 0.0, 0.5),
        VisemeSegment(VISEMES["b"], 0.5, 0.51),
        VisemeSegment(VISEMES["a"], 0.51, 1.0),
    )
    for shift in np.arange(0, 0.04, 0.004):
        assert articulate(parts, np.arange(0, 1, 0.04) + shift).opening.min() == 0


def test_teeth_touch_the_lip_without_closing_it():
    mouth = articulate(said("a f a"), TIMES)
    assert within(mouth.tuck, 0.31, 0.39).min() == 1 and not mouth.closure.any()
    assert within(mouth.opening, 0.31, 0.39).max() <= 0.06


def test_rounding_is_anticipated_further_than_it_lingers():
    mouth = articulate(said("t uː t"), TIMES)
    assert within(mouth.protrusion, 0.34, 0.36).min() > 0.7 and within(mouth.width, 0.34, 0.36).max() < -0.15
    before, after = mouth.protrusion[TIMES.searchsorted(0.24)], mouth.protrusion[TIMES.searchsorted(0.46)]
    assert before > 1.1 * after > 0.05


def test_neighbors_show_in_a_weak_consonant():
    among = {
        vowel: articulate(said(f"{vowel} k {vowel}"), TIMES).protrusion[TIMES.searchsorted(0.35)] for vowel in "ui"
    }
    assert among["u"] > among["i"] + 0.3


def test_stops_end_at_their_burst_and_affricates_have_two_parts():
    p = to_viseme_segments((Phoneme("p", 0.0, 0.05, 0.09),))
    assert [(s.viseme.name, s.start, s.end) for s in p] == [("bilabial", 0.0, 0.05), ("release", 0.05, 0.09)]
    assert [s.viseme.name for s in to_viseme_segments((Phoneme("tʃ", 0.0, 0.05, 0.12),))] == [
        "alveolar",
        "postalveolar",
    ]
    assert [s.viseme.name for s in to_viseme_segments((Phoneme("ˈaɪ", 0.0, 0.0, 0.1),))] == ["vowel a", "vowel ɪ"]
    assert [s.viseme.name for s in to_viseme_segments((Phoneme("ɑ̃ː", 0.0, 0.0, 0.1), Phoneme("", 0.1, 0.1, 0.2)))] == [
        "vowel ɑ",
        "silence",
    ]


def test_stress_opens_wider():
    plain, stressed = (to_viseme_segments((Phoneme(symbol, 0, 0, 0.2),))[0] for symbol in ("a", "ˈa"))
    assert stressed.emphasis > plain.emphasis


@given(st.lists(st.sampled_from(sorted(VISEMES)), min_size=1, max_size=12), st.floats(0.02, 0.3))
def test_a_mouth_stays_within_what_it_aims_at(symbols, seconds):
    mouth = articulate(said(" ".join(symbols), seconds), TIMES)
    visemes = [VISEMES[symbol] for symbol in symbols]
    assert mouth.opening.min() >= 0 and mouth.opening.max() <= 1.12 * max(v.opening for v in visemes) + 1e-9
    assert mouth.width.min() >= min(0, *(v.width for v in visemes)) - 1e-9
    for curve in (mouth.closure, mouth.tuck, mouth.protrusion):
        assert curve.min() >= 0 and curve.max() <= 1 + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_landmarks_of_the_lips_meet_where_the_mouth_is_closed(seed):
    identity = make_face_identity(np.random.default_rng(seed))
    mouth = articulate(said("ɑ b uː f ɑ"), TIMES)
    still = np.zeros(len(TIMES))
    face = pose_spoken_faces(SpokenFaceMotion(mouth, still, still, HeadPath(*np.zeros((5, len(TIMES))))), identity)
    gap = face[:, 66, 1] - face[:, 62, 1]
    width = face[:, 54, 0] - face[:, 48, 0]
    rest = identity.neutral[66, 1] - identity.neutral[62, 1]
    np.testing.assert_allclose(within(gap, 0.3, 0.4), rest, atol=1e-9)
    assert within(gap, 0.24, 0.26).min() > 0.6 * identity.max_opening
    assert within(width, 0.44, 0.46).max() < 0.85 * (identity.neutral[54, 0] - identity.neutral[48, 0])
    chin = face[:, 8, 1]
    assert within(chin, 0.24, 0.26).mean() > chin[0] + 0.2 * identity.max_opening
    np.testing.assert_array_equal(face[:, 36:48], np.repeat(face[:1, 36:48], len(face), axis=0))
