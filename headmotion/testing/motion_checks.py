"""Checks of the parts from sound to motion: audio encoders and generators, whole and streamed."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.audio_encoder import AudioEncoder
from ..core.generator import Generator
from .inputs import features, poses, same, wave
from .runner import Subject, check


@check("audio_encoder")
@torch.no_grad()
def encoder_keeps_shapes(subject: Subject) -> None:
    """``[B, S]`` becomes ``[B, S // hop, C]``, or ``[B, steps, C]`` on demand, beyond the end too."""
    encoder: AudioEncoder = subject.build()
    sound = wave(10 * encoder.hop + encoder.hop // 3)
    for steps, wanted in ((None, 10), (0, 0), (7, 7), (13, 13)):
        got = tuple(encoder(sound, steps).shape)
        assert got == (2, wanted, encoder.channels), f"steps={steps} gives {got}"


@check("audio_encoder")
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


@check("audio_encoder")
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


@check("generator")
@torch.no_grad()
def generator_keeps_shapes(subject: Subject) -> None:
    """One frame per ``steps_per_frame`` audio steps, finite, for a reference of any length."""
    generator: Generator = subject.build()
    for frames, context in ((1, 1), (9, generator.context_frames + 2)):
        reference = poses(subject, 2, context)
        got = generator(reference, features(subject, 2, frames))
        assert got.shape == (2, frames, *reference.shape[2:]), f"{frames} frames give {list(got.shape)}"
        assert got.isfinite().all(), "NaN or infinite"


@check("generator")
@torch.no_grad()
def generator_uses_its_context(subject: Subject) -> None:
    """Of a long reference the last ``context_frames`` count; a short one is repeated in front."""
    generator: Generator = subject.build()
    count, audio = generator.context_frames, features(subject, 2, 4)
    long = poses(subject, 2, count + 3)
    same(generator(long[:, -count:], audio), generator(long, audio), "a longer reference")
    short = long[:, -1:]
    same(generator(short, audio), generator(short.expand(-1, count, -1, -1), audio), "a reference of one frame")


@check("generator")
@torch.no_grad()
def generator_streams_the_whole(subject: Subject) -> None:
    """Audio in pieces of any size gives the frames of the whole; an empty last piece brings out the rest."""
    generator: Generator = subject.build()
    reference, audio = poses(subject, 2, 2), features(subject, 2, 23)
    wanted = generator(reference, audio, seed=5)
    for cut in ((1,) * 23, (23,), (2, 7, 1, 13)):
        same(torch.cat(_streamed(subject, generator, reference, audio, cut), dim=1), wanted, f"pieces of {cut}")


@check("generator")
@torch.no_grad()
def generator_lookahead_is_honest(subject: Subject) -> None:
    """Frame ``t`` comes out once ``lookahead`` further frames are heard, and depends on nothing later."""
    generator: Generator = subject.build()
    ahead = generator.lookahead
    if ahead is None:
        return
    seen, total = 5, ahead + 16
    reference, audio = poses(subject, 2, 2), features(subject, 2, total)
    pieces = _streamed(subject, generator, reference, audio, (1,) * total)[:-1]
    emitted = 0
    for heard, piece in enumerate(pieces, start=1):
        emitted += piece.shape[1]
        assert emitted >= heard - ahead, f"{emitted} frames after {heard}, with a look-ahead of {ahead}"
    wanted = generator(reference, audio)[:, :seen]
    audio[:, (seen + ahead) * subject.context.steps_per_frame :] += 5
    same(generator(reference, audio)[:, :seen], wanted, "other audio out of reach")


@check("generator")
@torch.no_grad()
def generator_samples_stand_alone(subject: Subject) -> None:
    """Sample ``b`` of a batch with seed ``s`` is what it would be alone with seed ``s + b``."""
    generator: Generator = subject.build()
    reference, audio = poses(subject, 3, 2), features(subject, 3, 6)
    whole = generator(reference, audio, seed=7)
    same(generator(reference[1:2], audio[1:2], seed=8), whole[1:2], "alone")
    same(generator(reference[1:], audio[1:], seed=[8, 9]), whole[1:], "seeds by sample")


def _streamed(
    subject: Subject, generator: Generator, reference: Tensor, audio: Tensor, cut: tuple[int, ...]
) -> list[Tensor]:
    """Frames by piece of audio, in frames; the last belongs to an empty last piece."""
    state = generator.init_state(reference, seed=5)
    pieces = []
    for piece in torch.split(audio, [frames * subject.context.steps_per_frame for frames in cut], dim=1):
        frames, state = generator.step(piece, state)
        pieces.append(frames)
    return [*pieces, generator.step(audio[:, :0], state, last=True)[0]]
