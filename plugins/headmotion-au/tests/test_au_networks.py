"""The networks against the published layers, and what each part does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from headmotion_au.specs import AudioToAUSpec, ClassifierSpec, ImageGeneratorSpec, UnitLossSpec
from headmotion_au.unit_targets import unit_cross_entropy
from torch import nn

import headmotion as hm

UNITS = hm.resolve_spec("representation", "au/action-units").build()
CONTEXT = hm.BuildContext(UNITS, 13, picture_size=(128, 128))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def linear(*sizes: int) -> int:
    return sum(a * b + b for a, b in pairwise(sizes))


def conv(inputs: int, outputs: int, kernel: int) -> int:
    """Weights and biases of a convolution, and two numbers per channel of its batch norm."""
    return kernel * inputs * outputs + 3 * outputs


def lstm(inputs: int, hidden: int) -> int:
    """Weights of both directions."""
    return 2 * 4 * hidden * (inputs + hidden + 2)


def test_five_networks_with_the_published_layers_give_320_features() -> None:
    networks, windows, shapes = AudioToAUSpec(preset="paper").build(CONTEXT).networks, torch.zeros(2, 1, 12, 28), []
    for layer in networks.units[0].convolutions:
        windows = layer(windows)
        shapes.append(tuple(windows.shape[1:]))
    assert shapes[3::4] == [(8, 12, 13), (32, 12, 6), (64, 12, 1), (128, 5, 1), (256, 1, 1)]
    assert networks(torch.zeros(1, 4 * 3, 13)).flatten(2).shape == (1, 3, 320)
    convolutions = conv(1, 8, 4) + conv(8, 32, 3) + conv(32, 64, 3) + conv(64, 128, 3) + conv(128, 256, 3)
    own = convolutions + 2 * lstm(256, 128) + linear(256, 128, 64, 1)
    assert count(networks) == 5 * own


def test_a_window_reaches_120_ms_to_both_sides() -> None:
    windows = AudioToAUSpec(preset="small").build(CONTEXT).networks.windows
    audio = torch.arange(1.0, 41.0)[None, :, None].expand(1, 40, 13)
    first_channel = windows(audio)[0, :, 0]
    assert first_channel.shape == (10, 28)
    assert (
        first_channel[4].tolist() == list(range(5, 33))
        and not first_channel[0, :12].any()
        and first_channel[0, 12] == 1
    )


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_features_of_other_sizes_are_projected_and_repeated(steps: int) -> None:
    context = replace(CONTEXT, audio_channels=384, steps_per_frame=steps)
    networks = AudioToAUSpec(preset="small", first_channel=0).build(context).networks
    assert networks(torch.randn(1, 6 * steps, 384)).shape == (1, 6, 5, 64)


@torch.no_grad()
@pytest.mark.parametrize("ahead", [0, 3])
def test_units_that_stream_are_those_of_the_whole_clip(ahead: int) -> None:
    generator = AudioToAUSpec(preset="small", ahead=ahead).build(CONTEXT).eval()
    assert generator.lookahead == 3 + 2 * ahead
    audio, reference = torch.randn(2, 4 * 20, 13), UNITS.neutral().expand(2, 1, 5, 1)
    state, parts = generator.init_state(reference), []
    for block in audio.split(4 * 3, dim=1):
        units, state = generator.step(block, state)
        parts.append(units)
    parts.append(generator.step(audio[:, :0], state, last=True)[0])
    torch.testing.assert_close(torch.cat(parts, dim=1), generator(reference, audio))


def test_the_first_frame_depends_on_the_last_without_a_limit_ahead() -> None:
    generator = AudioToAUSpec(preset="small").build(CONTEXT).eval()
    audio = torch.randn(1, 4 * 8, 13)
    changed = audio.clone()
    changed[:, -4:] += 1
    reference = UNITS.neutral()[None, None]
    assert not torch.equal(generator(reference, audio)[:, 0], generator(reference, changed)[:, 0])
    assert not isinstance(generator, hm.SupportsStreaming)


def test_cross_entropy_of_intensities_and_of_presence() -> None:
    logits, units = torch.zeros(1, 2, 2), torch.tensor([[[0.1, 0.3], [0.6, 0.0]]])
    even = float(torch.tensor(2.0).log())
    assert float(unit_cross_entropy(logits, units, "intensity")) == pytest.approx(even)
    assert float(unit_cross_entropy(logits, units, "presence", (3.0, 1.0))) == pytest.approx(1.5 * even)
    # Half the frames show each unit, so that its own rate is the best constant.
    with pytest.raises(hm.SpecError, match="presence_weights of 5 units, got 1"):
        AudioToAUSpec(presence_weights=(2.0,)).build(CONTEXT)


def test_the_image_generator_has_the_published_maps() -> None:
    with torch.device("meta"):
        network = ImageGeneratorSpec(preset="paper").build(CONTEXT)
        vector, maps = network.identity(torch.empty(2, 3, 128, 128))
        assert vector.shape == (2, 512)
        assert [tuple(features.shape[1:]) for features in maps] == [
            (16, 64, 64),
            (32, 32, 32),
            (64, 16, 16),
            (128, 8, 8),
        ]
        speech_maps = network.speech.convolutions(torch.empty(2, 1, 12, 35))
        assert speech_maps.shape == (2, 256, 3, 9) and network.memory.input_size == 512 + 512 + 320
        still, units = torch.empty(2, 3, 128, 128), torch.empty(2, 3, 5, 1)
        frames = network.pictures(still, units[:, 0], units, torch.empty(2, 4 * (4 + 3 + 4), 13))["frames"]
    assert frames.shape == (2, 3, 3, 128, 128)


def test_small_networks_fit_into_ten_megabytes() -> None:
    with torch.device("meta"):
        parts = [
            AudioToAUSpec(preset="small", ahead=0).build(CONTEXT),
            ImageGeneratorSpec(preset="small").build(CONTEXT),
        ]
    assert 4 * sum(count(part) + sum(buffer.numel() for buffer in part.buffers()) for part in parts) < 10e6


def test_unknown_presets_are_one_line() -> None:
    for spec in (AudioToAUSpec, ClassifierSpec, ImageGeneratorSpec):
        with pytest.raises(hm.SpecError, match="a preset among paper, small, got 'huge'"):
            spec(preset="huge")
    with pytest.raises(hm.SpecError, match="uses_speech or uses_units, got neither"):
        ImageGeneratorSpec(uses_speech=False, uses_units=False)


def image_generator(**fields: object) -> nn.Module:
    torch.manual_seed(0)
    return ImageGeneratorSpec.model_validate({"preset": "small", "size": 32, **fields}).build(CONTEXT).eval()


@torch.no_grad()
def test_what_is_drawn_is_added_to_the_still_picture() -> None:
    network, still, units = image_generator(), torch.rand(1, 3, 32, 32), torch.rand(1, 4, 5, 1)
    drawn = network.pictures(still, units[:, 0], units, torch.randn(1, 48, 13))["frames"]
    # Training begins near the still picture.
    assert 0 < float((drawn - still[:, None]).abs().max()) < 0.05
    for parameter in network.decoder.colors[-1].parameters():
        parameter.zero_()
    drawn = network.pictures(still, units[:, 0], units, torch.randn(1, 48, 13))["frames"]
    torch.testing.assert_close(drawn, still[:, None].expand(-1, 4, -1, -1, -1))
    whole = image_generator(adds=False).pictures(still, units[:, 0], units, torch.randn(1, 48, 13))["frames"]
    assert float((whole - still[:, None]).abs().mean()) > 0.1


@torch.no_grad()
def test_units_and_speech_move_the_face() -> None:
    still, units, audio = torch.rand(1, 3, 32, 32), torch.zeros(1, 4, 5, 1), torch.randn(1, 48, 13)

    def differs(network: nn.Module, other_units: torch.Tensor, other_audio: torch.Tensor) -> bool:
        first = network.pictures(still, units[:, 0], units, audio)["frames"]
        return not torch.equal(first, network.pictures(still, units[:, 0], other_units, other_audio)["frames"])

    both = image_generator()
    assert differs(both, units + 0.5, audio) and differs(both, units, audio + 1)
    without_speech, without_units = image_generator(uses_speech=False), image_generator(uses_units=False)
    assert differs(without_speech, units + 0.5, audio) and not differs(without_speech, units, audio + 1)
    assert differs(without_units, units, audio + 1) and not differs(without_units, units + 0.5, audio)
    assert "audio" not in without_speech.needs


def test_the_unit_loss_is_the_error_of_its_classifier() -> None:
    classifier = ClassifierSpec(widths=(2, 2, 4, 4), blocks=1).build(CONTEXT).eval()
    loss = UnitLossSpec(weight=0.5).build(CONTEXT)
    loss.use_parts({"classifier": classifier})
    frames, units = torch.rand(1, 2, 3, 32, 32, requires_grad=True), torch.rand(1, 2, 5, 1)
    sample = hm.Sample(units[:, :1], units, torch.zeros(1, 12, 13), frames=frames)
    term = loss(sample, sample, 0)["units"]
    torch.testing.assert_close(term, 0.5 * classifier.predictions(sample)["units"])
    term.backward()
    assert frames.grad is not None and frames.grad.any()
    with pytest.raises(hm.SpecError, match="an au/classifier under the name 'classifier', got a Linear"):
        loss.use_parts({"classifier": nn.Linear(1, 1)})


def test_other_representations_are_one_line() -> None:
    context = hm.BuildContext(hm.resolve_spec("representation", "landmarks68").build(), 13)
    for kind, type_ in (("generator", "audio-to-au"), ("discriminator", "classifier"), ("renderer", "generator")):
        with pytest.raises(hm.SpecError, match=f"au/{type_}: expected action units, got landmarks68"):
            hm.resolve_spec(kind, f"au/{type_}").build(context)
    with pytest.raises(hm.SpecError, match="1, 2 or 4 audio steps per motion frame, got 3"):
        AudioToAUSpec().build(replace(CONTEXT, steps_per_frame=3))
