from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from headmotion.cli import cli
from headmotion.core.errors import CorpusError
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.espeak import espeak_speech as espeak
from headmotion.data.synthetic.espeak.audio_augment import simulate_recording
from headmotion.data.synthetic.espeak.sentences import LANGUAGES, write_sentence
from headmotion.data.synthetic.espeak.spoken_clips import spoken_clip, write_spoken
from headmotion.data.synthetic.espeak.visemes import UNKNOWN
from headmotion.data.synthetic.prosody import prosody
from headmotion.data.synthetic.talking_faces import MAX_CLIPS, synthetic_clip


@pytest.fixture(scope="module")
def clips():
    try:
        espeak._library()
    except CorpusError as error:
        pytest.skip(str(error))
    return [spoken_clip(seed) for seed in range(24)]


def gap(clip) -> np.ndarray:
    return np.linalg.norm(clip.landmarks[:, 62] - clip.landmarks[:, 66], axis=1)


def test_a_clip_is_whole(clips):
    for clip in clips:
        frames = len(clip.landmarks)
        assert clip.landmarks.shape == (frames, 68, 3) and clip.landmarks.dtype == np.float32
        assert clip.audio.shape == (640 * frames,) and clip.audio.dtype == np.float32 and 1 < clip.seconds < 12
        assert clip.visemes[0].start == 0 and clip.visemes[-1].end >= clip.seconds
        assert all(a.end == pytest.approx(b.start) for a, b in zip(clip.visemes, clip.visemes[1:], strict=False))
        assert clip.phonemes[-1].end <= clip.seconds and clip.text and clip.distribute


def test_every_sound_has_a_viseme(clips):
    assert not [(clip.text, clip.phonemes) for clip in clips if any(s.viseme is UNKNOWN for s in clip.visemes)]


def test_the_same_seed_gives_the_same_clip(clips):
    repeated = spoken_clip(7)
    assert repeated.landmarks.tobytes() == clips[7].landmarks.tobytes()
    assert repeated.audio.tobytes() == clips[7].audio.tobytes() and repeated.phonemes == clips[7].phonemes
    assert len({clip.audio.tobytes() for clip in clips}) == len({clip.voice for clip in clips}) == len(clips)


def test_a_speaker_keeps_voice_and_face():
    one, two = (spoken_clip(seed, speaker=3, languages=("en",), clean=True) for seed in (100, 101))
    assert one.voice == two.voice and one.speaker == two.speaker and one.text != two.text
    assert spoken_clip(100, speaker=4, languages=("en",)).voice != one.voice


def test_lips_move_with_the_sound_and_shut_in_silence(clips):
    together = [
        np.corrcoef(clip.face_motion.mouth.opening, prosody(clip.audio, len(gap(clip))).loudness)[0, 1]
        for clip in clips
    ]
    assert np.mean(together) > 0.55
    for clip in clips:
        size = np.linalg.norm(clip.landmarks[0, 45] - clip.landmarks[0, 36])
        closed = clip.face_motion.mouth.closure == 1
        assert gap(clip)[0] < 0.03 * size and gap(clip)[-1] < 0.04 * size
        assert not closed.any() or gap(clip)[closed].max() < 0.03 * size
        assert gap(clip).max() > 0.08 * size


def test_the_size_of_a_vocal_tract_stretches_times_along():
    clip = spoken_clip(2, clean=True)
    loud = np.flatnonzero(np.abs(clip.audio) > 1e-3) / 16000
    onsets = [p.onset for p in clip.phonemes if p.symbol]
    assert loud[0] == pytest.approx(onsets[0], abs=0.03)
    assert loud[-1] <= max(p.end for p in clip.phonemes) + 0.01


def test_speakers_differ_in_shape_and_pose(clips):
    shapes = np.array([clip.landmarks[0] - clip.landmarks[0].mean(axis=0) for clip in clips])
    size = np.linalg.norm(shapes[:, 45] - shapes[:, 36], axis=1)
    assert (shapes / size[:, None, None]).std(axis=0).max() > 0.05


@pytest.mark.parametrize("seed", range(6))
def test_a_recording_is_as_long_as_the_speech_and_not_delayed(seed):
    speech = synthetic_clip(1, clean=True).audio.astype(np.float64)
    once, repeated = (simulate_recording(np.random.default_rng(seed), speech) for _ in range(2))
    assert once.tobytes() == repeated.tobytes() and once.shape == speech.shape and abs(once).max() <= 1
    size = 2 * len(speech)
    cross = np.fft.irfft(np.fft.rfft(once, size) * np.conj(np.fft.rfft(speech, size)), size)
    lag = int(np.argmax(np.abs(cross)))
    assert min(lag, size - lag) < 80, "the direct sound comes within 5 ms"


def test_recordings_differ():
    speech = synthetic_clip(1, clean=True).audio.astype(np.float64)
    levels = [np.sqrt(np.mean(simulate_recording(np.random.default_rng(seed), speech) ** 2)) for seed in range(12)]
    assert 20 * np.log10(max(levels) / min(levels)) > 8


@given(st.integers(0, 2**32), st.sampled_from(sorted(LANGUAGES)))
def test_sentences_are_filled_in(seed, language):
    text = write_sentence(np.random.default_rng(seed), language)
    assert text == write_sentence(np.random.default_rng(seed), language)
    assert not set("{}") & set(text) and text[-1] in ".?" and "  " not in text and len(text.split()) > 2


def test_an_unknown_language_is_refused():
    with pytest.raises(CorpusError, match=r"languages out of en, de, fr, es, it, got 'xx'"):
        spoken_clip(0, languages=("xx",))
    with pytest.raises(CorpusError, match="at least one"):
        spoken_clip(0, voices=())


def test_a_corpus_is_written_and_read_back(tmp_path, clips):
    corpus = open_corpus(write_spoken(tmp_path / "new", 6, 2, clips_per_speaker=2, val_every=3, quiet=True))
    assert [entry.split for entry in corpus.entries] == ["train"] * 4 + ["val"] * 2
    assert len({entry.speaker for entry in corpus.entries}) == 3
    made = spoken_clip(2 * MAX_CLIPS + 1, speaker=2 * MAX_CLIPS)
    assert corpus[1].landmarks.tobytes() == made.landmarks.tobytes()
    np.testing.assert_allclose(corpus[1].audio, made.audio, atol=1 / 32768)


def test_the_command_writes_a_corpus(tmp_path, clips):
    folder = tmp_path / "corpus"
    options = ["--clips", "2", "--seed", "5", "--languages", "de", "--voices", "m1,m3", "-q"]
    result = CliRunner().invoke(cli, ["synthesize", "-o", str(folder), *options], catch_exceptions=False)
    assert result.exit_code == 0 and result.output.strip() == str(folder)
    corpus = open_corpus(folder)
    assert len(corpus) == 2 and all("voice de+m" in entry.source for entry in corpus.entries)


def test_a_copied_clip_keeps_its_ground_truth(clips):
    assert replace(clips[0], split="test").phonemes == clips[0].phonemes
