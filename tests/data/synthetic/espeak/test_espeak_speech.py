# ruff: noqa: RUF001
import sys
import time

import numpy as np
import pytest

from headmotion.core.errors import CorpusError
from headmotion.data.synthetic.espeak import espeak_speech as espeak
from headmotion.data.synthetic.espeak.espeak_speech import EspeakVoice, synthesize


@pytest.fixture(scope="module", autouse=True)
def installed():
    try:
        espeak._library()
    except CorpusError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def utterance():
    return synthesize("My papa bought a map.", EspeakVoice("en-us+m3", words_per_minute=140))


def level(utterance, start: float, end: float) -> float:
    first, last = (round(seconds * utterance.sample_rate) for seconds in (start, end))
    return float(np.sqrt(np.mean(utterance.samples[first:last] ** 2)))


def test_the_phonemes_of_a_sentence_in_order(utterance):
    assert "".join(p.symbol for p in utterance.phonemes).replace("ˈ", "") == "maɪpɑːpəbɔːtɐmæp"
    for before, after in zip(utterance.phonemes, utterance.phonemes[1:], strict=False):
        assert before.start <= before.onset < before.end == after.start
    assert utterance.phonemes[-1].end == pytest.approx(len(utterance.samples) / utterance.sample_rate)


def test_times_are_those_of_the_samples(utterance):
    vowels = [p for p in utterance.phonemes if p.symbol.strip("ˈ") in ("aɪ", "ɑː", "ɔː", "æ")]
    closures = [p for p in utterance.phonemes if p.symbol == "p"]
    assert len(vowels) == 4 and len(closures) == 3
    for stop in closures:
        assert stop.onset - stop.start > 0.03
        assert level(utterance, stop.start + 0.001, stop.onset - 0.001) < 1e-4
        assert level(utterance, stop.onset, stop.end) > 1e-3
    assert min(level(utterance, v.start + 0.02, v.end - 0.01) for v in vowels) > 0.03


def test_the_same_text_sounds_the_same_whatever_was_said_before(utterance):
    synthesize("Guten Morgen, mein Papa.", EspeakVoice("de+f1"))
    time.sleep(1.1)  # a library that is seeded by the clock would change within that time
    repeated = synthesize("My papa bought a map.", EspeakVoice("en-us+m3", words_per_minute=140))
    assert repeated.samples.tobytes() == utterance.samples.tobytes() and repeated.phonemes == utterance.phonemes


def test_rate_and_pitch_change_the_sound(utterance):
    fast = synthesize("My papa bought a map.", EspeakVoice("en-us+m3", words_per_minute=200))
    assert len(fast.samples) < 0.85 * len(utterance.samples)
    high = synthesize("My papa bought a map.", EspeakVoice("en-us+m3", words_per_minute=140, pitch=90))
    assert high.samples.tobytes() != utterance.samples.tobytes()


@pytest.mark.parametrize("name", ["zz-zz+m1", "en-us+nobody"])
def test_an_unknown_voice_is_refused(name):
    with pytest.raises(CorpusError, match=rf"the voice {name.replace('+', '.')}.*no such.*voices are such as en-us"):
        synthesize("A", EspeakVoice(name))


def test_without_espeak_the_error_names_extra_and_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(espeak, "find_library", lambda name: None)
    espeak._library.cache_clear()
    with pytest.raises(CorpusError, match=r"none installed; pip install 'headmotion\[espeak\]', or apt-get"):
        synthesize("A", EspeakVoice("en-us+m1"))


def test_the_library_of_windows_is_found(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(espeak, "find_library", {"libespeak-ng": "C:/libespeak-ng.dll"}.get)
    espeak._library.cache_clear()
    assert espeak._library() == ("C:/libespeak-ng.dll", None)
    espeak._library.cache_clear()


def test_a_library_that_cannot_be_loaded_is_one_error(monkeypatch):
    monkeypatch.setattr(espeak, "_library", lambda: ("/nowhere/libespeak-ng.so", None))
    with pytest.raises(CorpusError, match="its process failed with /nowhere"):
        synthesize("A", EspeakVoice("en-us+m1"))
