"""What a plugin's tests look like: the conformance kit, and what is the plugin's own."""

import pytest
import torch
from headmotion_template.specs import EnergyJawSpec, EnergySpec

from headmotion import BuildContext, SpecError
from headmotion.core.plugins import registry
from headmotion.core.spec import spec_from
from headmotion.testing import check_audio_encoder, check_generator

FACE = spec_from("representation", "landmarks68").build(None)
CONTEXT = BuildContext(FACE, audio_channels=1)
INNER_LIPS = FACE.openings["mouth"][0]


def test_plugin_is_found() -> None:
    record = next(record for record in registry().records if record.name == "template")
    assert record.status == "ok", record.error
    assert record.types == ("audio_encoder:template/energy", "generator:template/energy-jaw")


def test_energy_conforms() -> None:
    check_audio_encoder(EnergySpec())
    check_audio_encoder(EnergySpec(sample_rate=8000, hop=80))


@pytest.mark.parametrize("representation", ["landmarks68", {"type": "landmarks68", "dims": 3}])
def test_energy_jaw_conforms(representation: str | dict[str, object]) -> None:
    check_generator(EnergyJawSpec(), representation=representation)


def test_energy_of_a_square_wave() -> None:
    wave = torch.full((1, 320), 0.5)
    wave[:, 160:] = 0
    expected = torch.tensor([0.25, 1e-8]).log()
    torch.testing.assert_close(EnergySpec().build(CONTEXT)(wave)[0, :, 0], expected)


def test_mouth_opens_with_energy_and_nothing_else_moves() -> None:
    generator = EnergyJawSpec(opening=0.5).build(CONTEXT)
    rest = FACE.neutral()
    audio = torch.cat([torch.full((1, 4, 1), level) for level in (-20.0, -7.5, 0.0)], dim=1)
    motion = generator(rest[None, None], audio)[0]
    width = (rest[FACE.scale_pair[0]] - rest[FACE.scale_pair[1]]).norm()
    upper, lower = sorted(INNER_LIPS, key=lambda point: float(rest[point, 1]))
    opened = (motion[:, lower, 1] - motion[:, upper, 1]) - (rest[lower, 1] - rest[upper, 1])
    torch.testing.assert_close(opened, 0.5 * width * torch.tensor([0.0, 0.5, 1.0]))
    moved = {int(point) for point in (motion != rest).any(-1).any(0).nonzero()}
    assert moved <= {point for pair in FACE.openings["mouth"] for point in pair} - {upper}


def test_needs_a_mouth() -> None:
    keypoints = spec_from("representation", "keypoints").build(None)
    with pytest.raises(SpecError, match="mouth"):
        EnergyJawSpec().build(BuildContext(keypoints, audio_channels=1))
    with pytest.raises(SpecError, match="quiet < loud"):
        EnergyJawSpec(quiet=0, loud=-1).build(CONTEXT)
