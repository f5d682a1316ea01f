"""Checks of audio encoders, offline and streaming."""

from __future__ import annotations

from typing import Any

import torch

from ...core.interfaces.audio_encoder import (
    AudioEncoder,
    SupportsAttenuation,
    SupportsAudioPooling,
    SupportsAudioStreaming,
)
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..inputs import assert_close, wave
from ..kit import NotApplicable, check


@check("audio_encoder", 1, "Pad the wave with zeros, or cut it, to the length of `steps`; steps=None means S // hop.")
@torch.no_grad()
def encoder_output_shape(subject: Subject) -> None:
    """``[B, S]`` becomes ``[B, S // hop, C]``, or ``[B, steps, C]`` on request, also beyond the end; always finite."""
    encoder: AudioEncoder = subject.build()

    def check_sizes(batch: int, samples: int, steps: int) -> None:
        audio = wave(samples, batch)
        for requested, expected in ((None, samples // encoder.hop), (steps, steps)):
            features = encoder(audio, requested)
            shape = list(features.shape)
            assert features.shape == (batch, expected, encoder.channels), f"steps={requested} gives {shape}"
            assert features.isfinite().all(), "NaN or infinite"

    for_sizes(check_sizes, batch=(1, 4), samples=(0, 12 * encoder.hop), steps=(0, 15))


@check("audio_encoder", 1, "Let no layer mix samples of the batch, and normalize by no statistic of it.")
@torch.no_grad()
def encoder_batch_items_are_independent(subject: Subject) -> None:
    """A wave has the same features in a batch as by itself."""
    encoder: AudioEncoder = subject.build()

    def check_sizes(batch: int) -> None:
        audio = wave(8 * encoder.hop + (encoder.look_ahead or 0), batch)
        assert_close(encoder(audio[-1:]), encoder(audio)[-1:], "a single wave")

    for_sizes(check_sizes, batch=(1, 5))


@check("audio_encoder", 1, "Keep in the state the samples that a later step needs; sessions only call `step`.")
@torch.no_grad()
def encoder_streaming_equals_offline(subject: Subject) -> None:
    """Samples in chunks of any size give the features of the whole wave, each step as soon as it is complete."""
    encoder, look_ahead = _streaming(subject)
    # Zeros of the look-ahead at the end let the stream return all steps.
    audio = torch.cat([wave(20 * encoder.hop + look_ahead), torch.zeros(2, look_ahead)], dim=1)
    # Smaller than a hop, exactly a hop, and several hops with a remainder.
    for size in (1 + encoder.hop // 3, encoder.hop, 5 * encoder.hop + 1):
        state, outputs, received = encoder.init_state(2), [], 0
        for chunk in torch.split(audio, size, dim=1):
            features, state = encoder.step(chunk, state)
            outputs.append(features)
            received += chunk.shape[1]
            due = max(0, (received - look_ahead) // encoder.hop + 1)
            count = sum(output.shape[1] for output in outputs)
            assert count >= due, f"{count} steps after {received} samples, {due} were promised"
        streamed = torch.cat(outputs, dim=1)
        assert_close(streamed, encoder(audio, streamed.shape[1]), f"chunks of {size} samples")


@check("audio_encoder", 2, "Return a new state; write neither to the one that was passed in nor to the encoder.")
@torch.no_grad()
def encoder_states_are_immutable(subject: Subject) -> None:
    """A state can be continued twice, with the same result, and a chunk without samples changes nothing."""
    encoder, look_ahead = _streaming(subject)
    # Half a hop remains, so that states with samples in them are tested too.
    first, second = wave(5 * encoder.hop + encoder.hop // 2 + look_ahead), wave(7 * encoder.hop + 1)
    _, state = encoder.step(first, encoder.init_state(2))
    once, _ = encoder.step(second, state)
    encoder.step(first, encoder.init_state(2))  # a second stream must not disturb the first
    repeated, _ = encoder.step(second, state)
    assert_close(repeated, once, "the same state continued a second time", 0.0)
    none, state = encoder.step(second[:, :0], state)
    assert none.shape == (2, 0, encoder.channels), f"no samples give features of the shape {list(none.shape)}"
    assert_close(encoder.step(second, state)[0], once, "after a chunk without samples")


@check("audio_encoder", 2, "Encode each stream of `step_streams` from its own state; chunks differ in size.")
@torch.no_grad()
def encoder_streams_together_equal_alone(subject: Subject) -> None:
    """With `SupportsAudioPooling`, streams give together the features that each gives alone."""
    encoder, look_ahead = _streaming(subject)
    hop: int = encoder.hop
    if not isinstance(encoder, SupportsAudioPooling):
        raise NotApplicable("it does not declare SupportsAudioPooling; pools encode one stream after the other")
    samples, sizes = wave(6 * hop + look_ahead, 3), (hop, hop, hop // 2 + 1)
    states = [encoder.init_state(1) for _ in sizes]
    single_states = list(states)
    for round_number in range(5):
        chunks = [samples[k : k + 1, round_number * size : (round_number + 1) * size] for k, size in enumerate(sizes)]
        for k, (features, state) in enumerate(encoder.step_streams(chunks, states)):
            expected, single_states[k] = encoder.step(chunks[k], single_states[k])
            assert_close(features, expected, f"stream {k} together with others")
            states[k] = state


@check("audio_encoder", 1, "State the true look_back and look_ahead; use no peak, mean or variance of the utterance.")
@torch.no_grad()
def encoder_receptive_field_as_declared(subject: Subject) -> None:
    """A step depends on no sample outside ``look_back`` and ``look_ahead``, so on no statistic of the utterance."""
    encoder: AudioEncoder = subject.build()
    look_back, look_ahead = encoder.look_back, encoder.look_ahead
    if look_back is None and look_ahead is None:
        raise NotApplicable("its steps may depend on the whole clip")
    step = 3 + -(-(look_back or 0) // encoder.hop)
    first = 0 if look_back is None else step * encoder.hop - look_back
    end = step * encoder.hop + (look_ahead or 0)
    # Quieter than the replacement, so that the peak of the whole wave changes.
    audio = 0.5 * wave(end + 10 * encoder.hop)
    expected = encoder(audio)[:, step]
    audio[:, :first] = 0.9
    if look_ahead is not None:
        audio[:, end:] = -0.9
    assert_close(encoder(audio)[:, step], expected, "other samples outside the receptive field")


@check("audio_encoder", 2, "Return from `attenuate` what `forward` makes of the quieter wave, or remove the method.")
@torch.no_grad()
def encoder_attenuation_equals_a_quieter_wave(subject: Subject) -> None:
    """With `SupportsAttenuation`, features become those of the wave times ``10 ** (-attenuation_db / 20)``."""
    encoder: AudioEncoder = subject.build()
    if not isinstance(encoder, SupportsAttenuation):
        raise NotApplicable("it does not declare SupportsAttenuation; features that are kept have one loudness")
    audio, attenuation_db = wave(8 * encoder.hop + (encoder.look_ahead or 0), 3), torch.tensor([0.0, 6.0, 40.0])
    audio[:, : 2 * encoder.hop] = 0  # silence stays what it is
    features = encoder(audio)
    before = features.clone()
    quieter = encoder.attenuate(features, attenuation_db)
    assert_close(features, before, "the features that `attenuate` was given", 0.0)
    assert_close(quieter, encoder(audio * 10 ** (-attenuation_db / 20)[:, None]), "the quieter wave")


def _streaming(subject: Subject) -> tuple[Any, int]:
    """Return the encoder and its look-ahead (samples), if it streams."""
    encoder: AudioEncoder = subject.build()
    if not isinstance(encoder, SupportsAudioStreaming):
        raise NotApplicable("it needs the whole clip")
    assert encoder.look_ahead is not None, "it streams, but its look_ahead is None: the whole clip"
    return encoder, encoder.look_ahead
