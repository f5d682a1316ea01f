import librosa
import numpy as np
import pytest
import python_speech_features as psf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.audio_encoders.log_mel import LogMel
from headmotion.audio_encoders.mfcc import Mfcc
from headmotion.audio_encoders.specs import LogMelSpec, MfccSpec
from headmotion.core.errors import AudioError
from headmotion.core.interfaces.audio_encoder import SupportsAttenuation

WINDOW, HOP = 400, 160


def speechlike(samples, batch=1, seed=0):
    """Noise ``[B, S]`` that swells and fades between silence and about half of full scale."""
    rng = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.arange(samples) / 3000)) ** 4
    return torch.from_numpy((rng.standard_normal((batch, samples)) * 0.15 * swell).astype(np.float32))


def followed_by_silence(wave):
    return np.concatenate([wave[0].numpy(), np.zeros(2 * WINDOW)]).astype(np.float64)


def in_pieces(encoder, wave, cuts):
    state = encoder.init_state(len(wave))
    parts = []
    for part in torch.tensor_split(wave, sorted(cuts), dim=1):
        steps, state = encoder.step(part, state)
        parts.append(steps)
    return torch.cat(parts, dim=1)


# Agreement with other implementations


def test_defaults_agree_with_python_speech_features():
    wave = speechlike(32000)
    ours = LogMel(LogMelSpec())(wave)[0].numpy()
    theirs = psf.logfbank(followed_by_silence(wave))[: len(ours)]
    assert ours.shape == (200, 26)
    assert theirs.min() < np.log(1e-8)  # so that the floor is met
    assert ours == pytest.approx(np.maximum(theirs, np.log(1e-8)), abs=5e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"n_mels": 13},
        {"n_mels": 40, "n_fft": 1024},
        {"f_min": 100, "f_max": 6000},
        {"preemphasis": 0.5},
        {"window": 512, "hop": 80},
    ],
)
def test_options_agree_with_python_speech_features(options):
    spec = LogMelSpec(**options)
    wave = speechlike(16000)
    ours = LogMel(spec)(wave)[0].numpy()
    theirs = psf.logfbank(
        followed_by_silence(wave),
        winlen=spec.window / 16000,
        winstep=spec.hop / 16000,
        nfilt=spec.n_mels,
        nfft=spec.n_fft,
        lowfreq=spec.f_min,
        highfreq=spec.f_max,
        preemph=spec.preemphasis,
    )[: len(ours)]
    assert ours == pytest.approx(np.maximum(theirs, np.log(1e-8)), abs=5e-5)


@pytest.mark.parametrize("preemphasis", [0, 0.97])
@pytest.mark.parametrize("filters", ["slaney", "htk"])
@pytest.mark.parametrize("n_mels", [26, 40])
def test_mel_spectrogram_agrees_with_librosa(filters, preemphasis, n_mels):
    options = {"n_fft": 1024, "window_shape": "hann", "filters": filters, "preemphasis": preemphasis}
    wave = speechlike(32000)
    ours = LogMel(LogMelSpec(n_mels=n_mels, **options))(wave)[0].numpy()
    signal = followed_by_silence(wave)
    signal[1:] -= preemphasis * signal[:-1]
    # librosa puts the window in the middle of the transform; ours begins at the step's own sample.
    theirs = librosa.feature.melspectrogram(
        y=np.pad(signal, ((1024 - WINDOW) // 2, 1024)),
        sr=16000,
        n_fft=1024,
        win_length=WINDOW,
        hop_length=HOP,
        window="hann",
        center=False,
        n_mels=n_mels,
        htk=filters == "htk",
        norm="slaney" if filters == "slaney" else None,
    ).T[: len(ours)]
    assert ours == pytest.approx(np.log(np.maximum(theirs / 1024, 1e-8)), abs=5e-5)
    # and in decibels, without a dynamic range taken from the entire utterance
    decibels = librosa.power_to_db(theirs / 1024, amin=1e-8, top_db=None)
    assert ours * 10 / np.log(10) == pytest.approx(decibels, abs=5e-4)


# Where steps lie


@pytest.mark.parametrize("step", [0, 1, 7])
def test_a_step_depends_on_its_window_only(step):
    encoder = LogMel(LogMelSpec())
    wave = speechlike(4000)
    steps = encoder(wave, 20)
    for sample, has_influence in (
        (step * HOP - 2, False),
        (step * HOP - encoder.look_back, True),
        (step * HOP, True),
        (step * HOP + encoder.look_ahead - 1, True),
        (step * HOP + encoder.look_ahead, False),
    ):
        if sample < 0:
            continue
        changed = wave.clone()
        changed[0, sample] += 0.5
        assert bool((encoder(changed, 20)[0, step] != steps[0, step]).any()) == has_influence


def test_steps_follow_the_samples_or_the_argument():
    encoder = LogMel(LogMelSpec())
    for samples in (0, 1, 159, 160, 161, 1600):
        assert encoder(torch.zeros(2, samples)).shape == (2, samples // HOP, 26)
    wave = speechlike(2000)
    assert torch.equal(encoder(wave, 30)[:, 15:], torch.full((1, 15, 26), 1e-8).log())
    assert encoder(wave, 0).shape == (1, 0, 26)
    # samples beyond the last hop belong to the last windows, and to none after them
    assert torch.equal(encoder(wave, 5), encoder(wave)[:, :5])
    assert torch.equal(encoder(wave[:, : 4 * HOP + WINDOW], 5), encoder(wave, 5))


# Loudness


@given(attenuation_db=st.floats(0, 90))
@settings(max_examples=20, deadline=None)
def test_attenuated_features_are_those_of_the_quieter_wave(attenuation_db):
    encoder = LogMel(LogMelSpec())
    wave = torch.cat([torch.zeros(1, 1000), speechlike(3000)], dim=1)
    quieter = encoder(wave * 10 ** (-attenuation_db / 20))
    attenuated = encoder.attenuate(encoder(wave), torch.tensor([attenuation_db]))
    torch.testing.assert_close(attenuated, quieter, rtol=0, atol=1e-4)


def test_cepstral_coefficients_offer_no_attenuation():
    """Coefficients no longer show which energies were at the floor."""
    assert isinstance(LogMel(LogMelSpec()), SupportsAttenuation)
    assert not isinstance(Mfcc(MfccSpec()), SupportsAttenuation)


# Streaming

ENCODERS = [
    LogMelSpec(),
    LogMelSpec(preemphasis=0, window_shape="hann", filters="slaney", n_mels=40),
    LogMelSpec(window=400, hop=400),
    MfccSpec(n_mfcc=13, lifter=22),
]


@given(spec=st.sampled_from(ENCODERS), samples=st.integers(0, 6000), batch=st.integers(1, 3), data=st.data())
@settings(max_examples=60, deadline=None)
def test_pieces_give_the_steps_of_the_whole_bit_for_bit(spec, samples, batch, data):
    encoder = Mfcc(spec) if spec.type == "mfcc" else LogMel(spec)
    wave = speechlike(samples, batch)
    count = samples // encoder.hop
    flushed = torch.nn.functional.pad(wave, (0, WINDOW))
    cuts = data.draw(st.lists(st.integers(0, samples + WINDOW), max_size=40))
    streamed = in_pieces(encoder, flushed, cuts)
    assert streamed.shape[1] >= count
    assert torch.equal(streamed[:, :count], encoder(wave))


def test_long_waves_and_batches_give_the_same_steps():
    encoder = LogMel(LogMelSpec())
    wave = speechlike(16000 * 25, batch=3)  # over several internal blocks
    complete = encoder(wave)
    assert torch.equal(in_pieces(encoder, wave, range(0, wave.shape[1], 6400)), complete[:, :-2])
    assert torch.equal(encoder(wave[1:2]), complete[1:2])
    assert torch.equal(encoder(wave[:, 160 * 999 :])[:, 1:], complete[:, 1000:])


# Robustness


def test_gradients_stay_finite_in_silence():
    wave = torch.zeros(1, 1600, requires_grad=True)
    LogMel(LogMelSpec())(wave).sum().backward()
    assert torch.isfinite(wave.grad).all()
    loud = speechlike(1600).requires_grad_()
    LogMel(LogMelSpec())(loud).sum().backward()
    assert torch.isfinite(loud.grad).all() and loud.grad.abs().max() > 0


def test_other_precisions_give_the_same():
    wave = speechlike(1600)
    encoder = LogMel(LogMelSpec())
    want = encoder(wave)
    assert torch.equal(encoder(wave.double()), want)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(encoder(wave), want)
    assert encoder.double()(wave).dtype == torch.float64
    assert encoder(wave).numpy() == pytest.approx(want.numpy(), abs=5e-5)


def test_nothing_derivable_is_stored():
    assert not LogMel(LogMelSpec()).state_dict()
    assert not Mfcc(MfccSpec()).state_dict()


@pytest.mark.parametrize("shape", [(1600,), (1, 1, 1600)])
def test_a_wave_of_another_shape_is_an_error(shape):
    encoder = LogMel(LogMelSpec())
    with pytest.raises(AudioError, match="wave"):
        encoder(torch.zeros(shape))
    with pytest.raises(AudioError, match="wave"):
        encoder.step(torch.zeros(shape), encoder.init_state())
