import numpy as np
import pytest
import python_speech_features as psf
import torch
from scipy.fft import dct

from headmotion.audio_encoders.log_mel import LogMel
from headmotion.audio_encoders.mfcc import Mfcc, cosine_transform, lifter_weights
from headmotion.audio_encoders.specs import LogMelSpec, MfccSpec


def wave():
    return torch.from_numpy((np.random.default_rng(0).standard_normal((1, 16000)) * 0.1).astype(np.float32))


@pytest.mark.parametrize(
    ("n_mfcc", "n_mels", "lifter"), [(26, 26, 0), (13, 26, 0), (13, 26, 22), (26, 26, 22), (12, 20, 10)]
)
def test_agrees_with_python_speech_features(n_mfcc, n_mels, lifter):
    ours = Mfcc(MfccSpec(n_mfcc=n_mfcc, n_mels=n_mels, lifter=lifter))(wave())[0].numpy()
    signal = np.concatenate([wave()[0].numpy(), np.zeros(800)]).astype(np.float64)
    theirs = psf.mfcc(signal, numcep=n_mfcc, nfilt=n_mels, ceplifter=lifter, appendEnergy=False)[: len(ours)]
    assert ours.shape == (100, n_mfcc)
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_is_the_cosine_transform_of_log_mel():
    mels = LogMel(LogMelSpec())(wave()).numpy()
    assert Mfcc(MfccSpec())(wave()).numpy() == pytest.approx(dct(mels, norm="ortho"), abs=1e-5)


def test_cosine_transform_is_orthonormal():
    matrix = cosine_transform(26, 26)
    assert (matrix.T @ matrix).numpy() == pytest.approx(np.eye(26), abs=1e-12)


def test_lifter_is_off_at_zero():
    assert torch.equal(lifter_weights(13, 0), torch.ones(13, dtype=torch.float64))
    assert lifter_weights(12, 22)[11] == pytest.approx(12.0)
