"""Cached features are those of the encoder, and a file is used for what it was made from only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.interfaces.audio_encoder import AudioEncoder
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus, write_corpus
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.training.batches import Batch, Batches
from headmotion.training.feature_cache import FeatureCache
from headmotion.training.feature_lead import FeatureLeads
from headmotion.training.feature_variation import FeatureVariation
from headmotion.training.settings import DataSpec


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return open_corpus(write_synthetic(tmp_path_factory.mktemp("data") / "corpus", clips=3, seconds=1.2))


def encoder(**fields: object) -> AudioEncoder:
    return hm.build({"audio_encoder": {"type": "log-mel", **fields}}, device="cpu").audio_encoder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_features_are_the_encoders_for_the_whole_clip(corpus: Corpus, tmp_path: Path) -> None:
    cache, log_mel = FeatureCache(tmp_path / "features", 4), encoder()
    cache.fill(corpus, log_mel, extra_frames=2)
    for index, clip in enumerate(corpus):
        expected = log_mel(torch.from_numpy(clip.audio)[None], 4 * 32)[0].numpy()
        np.testing.assert_allclose(cache.read(index, 5, 10), expected[20:60], rtol=1e-3)
        # Silence follows the clip, and its last step is repeated.
        late = cache.read(index, 30, 4)
        np.testing.assert_allclose(late[:8], expected[120:], rtol=1e-3)
        assert (late[8:] == late[7]).all()


def test_each_file_is_made_once_and_from_its_content(corpus: Corpus, tmp_path: Path) -> None:
    FeatureCache(tmp_path, 4).fill(corpus, encoder())
    first = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(first) == 3
    # Another process, another corpus with the same clips: nothing is encoded anew.
    FeatureCache(tmp_path, 4).fill(corpus.select(split=corpus[0].split), encoder())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == first
    changes: list[tuple[dict[str, object], int]] = [({"n_mels": 20}, 0), ({}, 1)]
    for fields, extra in changes:
        before = names(tmp_path)
        FeatureCache(tmp_path, 4).fill(corpus, encoder(**fields), extra)
        assert len(names(tmp_path) - before) == 3


def test_other_sound_is_another_file(tmp_path: Path) -> None:
    for seed in (1, 2):
        folder = write_synthetic(tmp_path / f"corpus{seed}", clips=1, seconds=1.2, seed=seed)
        FeatureCache(tmp_path / "features", 4).fill(open_corpus(folder), encoder())
    assert len(names(tmp_path / "features")) == 2


def test_a_folder_that_cannot_be_is_one_error(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(hm.TrainingError, match="cached features: expected a folder to write"):
        FeatureCache(tmp_path / "file", 4).fill(corpus, encoder())


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("time_stretch", [0.0, 0.2])
def test_batches_hold_the_features_of_their_crops(
    corpus: Corpus, tmp_path: Path, workers: int, time_stretch: float
) -> None:
    pipe = hm.build({}, device="cpu")
    common = {"batch_size": 4, "augment": time_stretch > 0, "time_stretch": time_stretch, "workers": workers}

    def batch(**fields: object) -> Batch:
        spec = DataSpec.model_validate(common | fields)
        return Batches(corpus, spec, pipe.audio_encoder, pipe.context(), 20, 3, steps=2)(1)

    encoded, cached = batch(), batch(feature_cache=str(tmp_path))
    assert torch.equal(encoded.motion, cached.motion) and encoded.audio.shape == cached.audio.shape
    assert cached.audio.dtype == torch.float32
    # Without changes of loudness they differ by rounding, and at the first step, which knows the sound before the crop.
    if not time_stretch:
        torch.testing.assert_close(cached.audio[:, 1:], encoded.audio[:, 1:], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("name", ["log-mel", "mfcc"])
def test_kept_features_vary_in_loudness_where_the_encoder_can(corpus: Corpus, tmp_path: Path, name: str) -> None:
    pipe = hm.build({"audio_encoder": name}, device="cpu")

    def features(**fields: object) -> torch.Tensor:
        spec = DataSpec.model_validate({"batch_size": 6, "time_stretch": 0.2} | fields)
        return Batches(corpus, spec, pipe.audio_encoder, pipe.context(), 20, 3, steps=2)(1).audio[:, 2:]

    encoded, kept = features(), features(feature_cache=str(tmp_path))
    if name == "log-mel":
        torch.testing.assert_close(kept, encoded, rtol=1e-3, atol=1e-2)
    else:
        assert (kept - encoded).abs().amax((1, 2)).max() > 0.1


def test_a_file_that_is_cut_short_is_one_error(corpus: Corpus, tmp_path: Path) -> None:
    FeatureCache(tmp_path, 4).fill(corpus, encoder())
    damaged = next(tmp_path.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-10])
    with pytest.raises(hm.TrainingError, match=r"cached features: expected a complete file, got .*npy; remove it"):
        FeatureCache(tmp_path, 4).fill(corpus, encoder())


@pytest.fixture(scope="module")
def whisper() -> AudioEncoder:
    return hm.build({"audio_encoder": "whisper", "steps_per_frame": 2}, device="cpu").audio_encoder


def test_a_lead_is_silence_before_the_clip(corpus: Corpus, whisper: AudioEncoder, tmp_path: Path) -> None:
    plain, late = FeatureCache(tmp_path, 2), FeatureCache(tmp_path, 2, FeatureVariation(max_lead_frames=10))
    plain.fill(corpus, whisper)
    late.fill(corpus, whisper)
    assert len(names(tmp_path)) >= 5  # a lead may have no length
    audio, found = torch.from_numpy(corpus[0].audio)[None], late.read(0, 0, 30)
    behind = [
        whisper(torch.nn.functional.pad(audio, (640 * lead, 0)), 2 * (30 + lead))[0, 2 * lead :].numpy()
        for lead in range(11)
    ]
    errors = [float(np.abs(features - found).max()) for features in behind]
    assert min(errors) < 5e-3 < sorted(errors)[1]


def test_a_lead_of_speech_is_what_another_clip_ends_with(corpus: Corpus, whisper: AudioEncoder, tmp_path: Path) -> None:
    lead = FeatureLeads(corpus, 640, 20, speech=1.0).draw(0, np.random.default_rng(0))
    assert lead.silence_frames == 0 and len(lead.speech) % 640 == 0 and len(lead.speech)
    ends = [clip.audio[-len(lead.speech) :] for clip in list(corpus)[1:]]
    assert any((lead.speech == end).all() for end in ends)
    # Longer than a clip: other clips come before it, the last one is complete.
    long = FeatureLeads(corpus, 640, 200, speech=1.0).draw(0, np.random.default_rng(1)).speech
    assert any((long[-len(clip.audio) :] == clip.audio).all() for clip in list(corpus)[1:])

    variation = FeatureVariation(max_lead_frames=20, lead_speech=1.0)
    cache = FeatureCache(tmp_path, 2, variation)
    cache.fill(corpus, whisper)
    sound = variation.of(corpus, 640)(2)
    wave, before = torch.from_numpy(np.concatenate([sound.lead, sound.audio]))[None], len(sound.lead) // 320
    expected = whisper(wave, before + 60)[0, before:].numpy()
    np.testing.assert_allclose(cache.read(2, 0, 30), expected, atol=5e-3)


def test_another_voice_keeps_the_time(whisper: AudioEncoder, tmp_path: Path) -> None:
    """Where a tone begins, features change, whatever the voice is."""
    audio = np.zeros(16_000, np.float32)
    audio[8000:] = np.sin(np.arange(8000) * 0.2) / 2
    clip = Clip(id="tone", speaker="a", split="train", landmarks=np.zeros((25, 68, 3), np.float32), audio=audio)
    corpus = open_corpus(write_corpus(tmp_path / "corpus", [clip]))
    onsets = []
    for voice in (0.0, 0.15):
        variation = FeatureVariation(voice=voice)
        assert (variation.of(corpus, 640)(0).pace == 1) is (voice == 0)
        cache = FeatureCache(tmp_path / "features", 2, variation)
        cache.fill(corpus, whisper)
        onsets.append(int(np.abs(np.diff(cache.read(0, 5, 15), axis=0)).sum(1).argmax()))
    assert abs(onsets[0] - onsets[1]) <= 2  # a step more or less: features look around them


def test_recordings_and_voices_differ_between_copies_of_a_sound(corpus: Corpus, tmp_path: Path) -> None:
    clips = [replace(corpus[0], id=name) for name in ("one", "two")]
    copies = open_corpus(write_corpus(tmp_path / "corpus", clips))
    cache = FeatureCache(tmp_path / "plain", 4)
    cache.fill(copies, encoder())
    assert len(names(tmp_path / "plain")) == 1
    varied = FeatureCache(tmp_path / "varied", 4, FeatureVariation(voice=0.1, recording=1.0))
    varied.fill(copies, encoder())
    assert len(names(tmp_path / "varied")) == 2
    assert np.abs(varied.read(0, 0, 30) - varied.read(1, 0, 30)).max() > 0.1


@pytest.mark.parametrize("fields", [{"feature_lead_s": 3}, {"feature_voice": 0.1}, {"feature_recording": 0.5}])
def test_variations_need_a_cache(fields: dict[str, float]) -> None:
    with pytest.raises(hm.SpecError, match="feature_cache"):
        DataSpec.model_validate(fields)
    with pytest.raises(hm.SpecError, match="feature_lead_s"):
        DataSpec(feature_cache="folder", feature_lead_speech=0.5)
