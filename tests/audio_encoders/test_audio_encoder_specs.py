import subprocess
import sys
from fractions import Fraction

import pytest
import torch

from headmotion.audio_encoders.specs import LogMelSpec, MfccSpec
from headmotion.core.errors import SpecError
from headmotion.core.interfaces.audio_encoder import AudioEncoder
from headmotion.core.interfaces.specs import BuildContext, resolve_spec


def context(**changes):
    return BuildContext(**{"representation": None, "audio_channels": 0, **changes})


@pytest.mark.parametrize("name", ["log-mel", "mfcc"])
def test_defaults_by_name(name):
    encoder = resolve_spec("audio_encoder", name).build(context())
    assert isinstance(encoder, AudioEncoder)
    assert (encoder.sample_rate, encoder.hop, encoder.channels) == (16000, 160, 26)
    assert (encoder.look_back, encoder.look_ahead) == (1, 400)
    assert encoder(torch.zeros(1, 16000)).shape == (1, 100, 26)


def test_without_preemphasis_there_is_no_look_back():
    assert LogMelSpec(preemphasis=0).build(context()).look_back == 0


def test_channels_follow_the_spec():
    assert LogMelSpec(n_mels=20).build(context()).channels == 20
    assert MfccSpec(n_mfcc=13).build(context()).channels == 13


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (LogMelSpec(), {"fps": Fraction(30)}),
        (MfccSpec(), {"fps": Fraction(30000, 1001)}),
        (LogMelSpec(), {"steps_per_frame": 5}),
        (LogMelSpec(hop=161), {}),
    ],
)
def test_steps_must_divide_frames_exactly(spec, changes):
    with pytest.raises(SpecError, match="steps per frame") as caught:
        spec.build(context(**changes))
    assert "\n" not in str(caught.value)
    assert "set hop to" in caught.value.remedy


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (LogMelSpec(hop=128, window=400), {"fps": Fraction(25), "steps_per_frame": 5}),
        (LogMelSpec(hop=200), {"fps": Fraction(20)}),
        (LogMelSpec(sample_rate=24000, hop=200, window=600, n_fft=1024), {"fps": Fraction(30)}),
    ],
)
def test_other_exact_ratios_build(spec, changes):
    assert spec.build(context(**changes)).hop == spec.hop


@pytest.mark.parametrize(
    "options",
    [
        {"f_max": 8001.0},
        {"f_min": 9000.0},
        {"f_min": 500.0, "f_max": 500.0},
        {"window": 513},
        {"hop": 401},
        {"n_mels": 0},
        {"preemphasis": 1.5},
        {"window_shape": "hamming"},
        {"filters": "bark"},
        {"top_db": 80},
    ],
)
def test_values_out_of_range_are_one_clear_error(options):
    with pytest.raises(SpecError) as caught:
        LogMelSpec(**options)
    assert "\n" not in str(caught.value)


def test_more_coefficients_than_filters_is_an_error():
    with pytest.raises(SpecError, match="n_mfcc"):
        MfccSpec(n_mfcc=27)


def test_every_field_is_described():
    for spec in (LogMelSpec, MfccSpec):
        assert spec.field_docs().keys() == spec.model_fields.keys() - {"type"}


def test_specs_need_no_torch():
    code = "import sys; import headmotion.audio_encoders; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
