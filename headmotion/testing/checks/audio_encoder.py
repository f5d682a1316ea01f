"""Checks of audio encoders: whole and streamed."""

from __future__ import annotations

import torch

from ...core.interfaces.audio_encoder import AudioEncoder
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import same, wave
from ..kit import check


@check("audio_encoder", 1, "Pad the wave with zeros, or cut it, to what `steps` steps need; steps=None means S // hop.")
@torch.no_grad()
def encoder_keeps_shapes(subject: Subject) -> None:
    """``[B, S]`` becomes ``[B, S // hop, C]``, or ``[B, steps, C]`` on demand, beyond the end too; always finite."""
    encoder: AudioEncoder = subject.build()

    def sized(batch: int, samples: int, steps: int) -> None:
        sound = wave(samples, batch)
        for asked, wanted in ((None, samples // encoder.hop), (steps, steps)):
            got = encoder(sound, asked)
            assert got.shape == (batch, wanted, encoder.channels), f"steps={asked} gives {list(got.shape)}"
            assert got.isfinite().all(), "NaN or infinite"

    over_sizes(sized, batch=(1, 4), samples=(0, 12 * encoder.hop), steps=(0, 15))


@check("audio_encoder", 1, "Let no layer look across the batch, and normalize by nothing that is measured over it.")
@torch.no_grad()
def encoder_samples_stand_alone(subject: Subject) -> None:
    """A wave of a batch has the steps that it has alone."""
    encoder: AudioEncoder = subject.build()

    def sized(batch: int) -> None:
        sound = wave(8 * encoder.hop + encoder.look_ahead, batch)
        same(encoder(sound[-1:]), encoder(sound)[-1:], "a wave alone")

    over_sizes(sized, batch=(1, 5))


@check("audio_encoder", 1, "Keep in the state the samples that a later step still needs; sessions use `step` alone.")
@torch.no_grad()
def encoder_streams_the_whole(subject: Subject) -> None:
    """Samples in pieces of any size give the steps of the whole wave, each as soon as it is complete."""
    encoder: AudioEncoder = subject.build()
    sound = torch.cat([wave(20 * encoder.hop + encoder.look_ahead), torch.zeros(2, encoder.look_ahead)], dim=1)
    for size in (1 + encoder.hop // 3, encoder.hop, 5 * encoder.hop + 1):
        state, parts, heard = encoder.init_state(2), [], 0
        for piece in torch.split(sound, size, dim=1):
            steps, state = encoder.step(piece, state)
            parts.append(steps)
            heard += piece.shape[1]
            due = max(0, (heard - encoder.look_ahead) // encoder.hop + 1)
            got = sum(each.shape[1] for each in parts)
            assert got >= due, f"{got} steps after {heard} samples, {due} were promised"
        streamed = torch.cat(parts, dim=1)
        same(streamed, encoder(sound, streamed.shape[1]), f"pieces of {size} samples")


@check("audio_encoder", 1, "State the true look_back and look_ahead; use no peak, mean or variance of the utterance.")
@torch.no_grad()
def encoder_reach_is_honest(subject: Subject) -> None:
    """A step depends on no sample outside ``look_back`` and ``look_ahead``; so on no statistic of the utterance."""
    encoder: AudioEncoder = subject.build()
    step = 3 + -(-encoder.look_back // encoder.hop)
    first, end = step * encoder.hop - encoder.look_back, step * encoder.hop + encoder.look_ahead
    sound = 0.5 * wave(end + 10 * encoder.hop)  # softer than what follows, so that its loudest sample is another
    wanted = encoder(sound)[:, step]
    sound[:, :first], sound[:, end:] = 0.9, -0.9
    same(encoder(sound)[:, step], wanted, "loud samples out of reach")
