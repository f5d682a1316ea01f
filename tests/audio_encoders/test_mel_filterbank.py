import librosa
import numpy as np
import pytest
import python_speech_features as psf

from headmotion.audio_encoders.mel_filterbank import mel_filters
from headmotion.audio_encoders.specs import LogMelSpec
from headmotion.core.errors import SpecError

SETTINGS = [
    {},
    {"n_mels": 40, "n_fft": 1024},
    {"f_min": 80.0, "f_max": 7600.0},
    {"sample_rate": 48000, "n_fft": 2048, "window": 1200, "hop": 480},
]


@pytest.mark.parametrize("options", SETTINGS)
def test_psf_filters_are_those_of_python_speech_features(options):
    spec = LogMelSpec(filters="psf", **options)
    theirs = psf.get_filterbanks(spec.n_mels, spec.n_fft, spec.sample_rate, spec.f_min, spec.f_max)
    assert mel_filters(spec).numpy() == pytest.approx(theirs.T, abs=1e-12)


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("filters", ["slaney", "htk"])
def test_other_filters_are_those_of_librosa(options, filters):
    spec = LogMelSpec(filters=filters, **options)
    theirs = librosa.filters.mel(
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        n_mels=spec.n_mels,
        fmin=spec.f_min,
        fmax=spec.f_max,
        htk=filters == "htk",
        norm="slaney" if filters == "slaney" else None,
        dtype=np.float64,
    )
    assert mel_filters(spec).numpy() == pytest.approx(theirs.T, abs=1e-9)


@pytest.mark.parametrize("filters", ["psf", "slaney", "htk"])
def test_a_filter_without_a_bin_is_an_error(filters):
    with pytest.raises(SpecError, match="a bin in every filter"):
        mel_filters(LogMelSpec(filters=filters, n_mels=200, n_fft=400))
