"""Checks of generators: whole and streamed."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...core.errors import SpecError
from ...core.interfaces.capabilities import (
    SupportsDialogue,
    SupportsFixedShapes,
    SupportsStreaming,
    SupportsUncertainty,
)
from ...core.interfaces.fixed_shape_stream import FixedShapeStream
from ...core.interfaces.generator import Generator
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import features, poses, same
from ..kit import NotApplicable, check


@check("generator", 1, "Return [B, T, P, D] with T = audio.shape[1] // context.steps_per_frame.")
@torch.no_grad()
def generator_keeps_shapes(subject: Subject) -> None:
    """One frame per ``steps_per_frame`` audio steps, finite, for any batch, length and reference."""
    generator: Generator = subject.build()

    def sized(batch: int, frames: int, before: int) -> None:
        reference = poses(subject, batch, before)
        got = generator(reference, features(subject, batch, frames))
        assert got.shape == (batch, frames, *reference.shape[2:]), f"{frames} frames give {list(got.shape)}"
        assert got.isfinite().all(), "NaN or infinite"

    over_sizes(sized, batch=(1, 4), frames=(1, 24), before=(1, generator.context_frames + 2))


@check("generator", 1, "Read context.steps_per_frame; refuse values that you do not support with SpecError in build.")
@torch.no_grad()
def generator_uses_steps_per_frame(subject: Subject) -> None:
    """With 1, 2 or 4 audio steps per frame, ``A`` steps give ``A / steps_per_frame`` frames, or ``build`` refuses."""
    for steps in (1, 2, 4):
        other = replace(subject, context=replace(subject.context, steps_per_frame=steps))
        try:
            generator = other.build()
        except SpecError:
            continue
        frames = generator(poses(other, 1, 2), features(other, 1, 8)).shape[1]
        assert frames == 8, f"{frames} frames for {8 * steps} audio steps at {steps} steps per frame"


@check("generator", 1, "Cut reference[:, -context_frames:], and repeat its first frame in front where it is shorter.")
@torch.no_grad()
def generator_uses_its_context(subject: Subject) -> None:
    """Of a long reference the last ``context_frames`` count; a short one is repeated in front."""
    generator: Generator = subject.build()
    count, audio = generator.context_frames, features(subject, 2, 4)
    long = poses(subject, 2, count + 3)
    same(generator(long[:, -count:], audio), generator(long, audio), "a longer reference")
    short = long[:, -1:]
    same(generator(short, audio), generator(short.expand(-1, count, -1, -1), audio), "a reference of one frame")


@check("generator", 1, "Draw noise with headmotion.core.component.seeded_uniform; let no layer look across the batch.")
@torch.no_grad()
def generator_samples_stand_alone(subject: Subject) -> None:
    """Sample ``b`` of a batch with seed ``s`` is what it would be alone with seed ``s + b``."""
    generator: Generator = subject.build()

    def sized(batch: int, frames: int) -> None:
        reference, audio = poses(subject, batch, 2), features(subject, batch, frames)
        whole, last = generator(reference, audio, seed=7), batch - 1
        same(generator(reference[last:], audio[last:], seed=7 + last), whole[last:], "alone")
        seeds = list(range(7, 7 + batch))
        same(generator(reference, audio, seed=seeds), whole, "seeds by sample")

    over_sizes(sized, batch=(1, 4), frames=(1, 12))


@check("generator", 1, "Look for chance that does not come from `seed`: dropout left on, noise without a generator.")
@torch.no_grad()
def generator_repeats_by_seed(subject: Subject) -> None:
    """The same seed makes the same motion, whatever was made in between."""
    generator: Generator = subject.build()
    reference, audio = poses(subject, 2, 2), features(subject, 2, 6)
    wanted = generator(reference, audio, seed=5)
    generator(reference, audio + 1, seed=6)
    same(generator(reference, audio, seed=5), wanted, "seed 5 again", 0.0)


@check("generator", 2, "Keep in the state all audio that a later frame needs; use nothing that depends on the length.")
@torch.no_grad()
def generator_streams_the_whole(subject: Subject) -> None:
    """Audio in pieces of any size gives the frames of the whole; an empty last piece brings out the rest."""
    generator = subject.build()
    streaming = _streaming(generator)
    reference, audio = poses(subject, 2, 2), features(subject, 2, 23)
    wanted = generator(reference, audio, seed=5)
    for cut in ((1,) * 23, (23,), (2, 7, 1, 13)):
        pieces = _streamed(subject, streaming, reference, audio, cut)
        same(torch.cat(pieces, dim=1), wanted, f"pieces of {cut}")


@check("generator", 2, "Return a new state from `step`; do not append to a list or write to a tensor of the one given.")
@torch.no_grad()
def generator_states_are_values(subject: Subject) -> None:
    """A state can be gone on from twice, as a session that is tried and taken back does."""
    streaming = _streaming(subject.build())
    audio = features(subject, 2, 12)
    _, state = streaming.step(
        audio[:, : 6 * subject.context.steps_per_frame], streaming.init_state(poses(subject, 2, 2))
    )
    rest = audio[:, 6 * subject.context.steps_per_frame :]
    first, second = streaming.step(rest, state, last=True)[0], streaming.step(rest, state, last=True)[0]
    same(second, first, "the same audio from the same state", 0.0)


@check("generator", 2, "State the true lookahead, emit frames once they are determined, use no global statistics.")
@torch.no_grad()
def generator_lookahead_is_honest(subject: Subject) -> None:
    """Frame ``t`` comes out once ``lookahead`` further frames are heard, and depends on nothing later."""
    generator = subject.build()
    streaming = _streaming(generator)
    ahead = streaming.lookahead
    if ahead is None:
        raise NotApplicable("it hears the whole clip first")
    seen, total = 5, ahead + 16
    reference, audio = poses(subject, 2, 2), features(subject, 2, total)
    pieces = _streamed(subject, streaming, reference, audio, (1,) * total)[:-1]
    emitted = 0
    for heard, piece in enumerate(pieces, start=1):
        emitted += piece.shape[1]
        assert emitted >= heard - ahead, f"{emitted} frames after {heard}, with a look-ahead of {ahead}"
    wanted = generator(reference, audio)[:, :seen]
    audio[:, (seen + ahead) * subject.context.steps_per_frame :] += 5
    same(generator(reference, audio)[:, :seen], wanted, "other audio out of reach")


@check("generator", 2, "Give a standard deviation, 0 or more, for each number of the frames that `step` returned.")
@torch.no_grad()
def generator_deviations_fit_frames(subject: Subject) -> None:
    """With `SupportsUncertainty`, every frame has finite standard deviations of its own shape."""
    generator = subject.build()
    if not isinstance(generator, SupportsUncertainty):
        raise NotApplicable("it does not declare SupportsUncertainty")
    audio, state = features(subject, 2, 9), generator.init_state(poses(subject, 2, 2))
    for piece, last in ((audio, False), (audio[:, :0], True)):
        frames, state = generator.step(piece, state, last)
        deviation = generator.deviation(state)
        assert deviation.shape == frames.shape, f"{list(deviation.shape)} for frames {list(frames.shape)}"
        assert deviation.isfinite().all() and (deviation >= 0).all(), "negative, NaN or infinite"


@check(
    "generator",
    2,
    "Keep in the state what `hear` was given, by its time, until `step` needs it.",
)
@torch.no_grad()
def generator_hears_whom_it_talks_with(subject: Subject) -> None:
    """With `SupportsDialogue`, frames are finite, and the same in whatever pieces the other speaker is heard."""
    generator = subject.build()
    if not isinstance(generator, SupportsDialogue):
        raise NotApplicable("it does not declare SupportsDialogue")
    own, other = features(subject, 2, 9), features(subject, 2, 9, seed=1)
    results = []
    for cut in ((9,), (1, 3, 5)):
        state, frames = generator.init_state(poses(subject, 2, 2)), []
        sizes = [each * subject.context.steps_per_frame for each in cut]
        for mine, theirs in zip(torch.split(own, sizes, dim=1), torch.split(other, sizes, dim=1), strict=True):
            piece, state = generator.step(mine, generator.push_listener(theirs, state))
            frames.append(piece)
        results.append(torch.cat([*frames, generator.step(own[:, :0], state, last=True)[0]], dim=1))
        assert results[-1].isfinite().all(), "NaN or infinite"
    same(results[1], results[0], "the other speaker in pieces")


@check("generator", 2, "Keep tails of one length from the first chunk on; mask what is before frame 0 or past the end.")
@torch.no_grad()
def generator_chunks_give_the_whole(subject: Subject) -> None:
    """With `SupportsFixedShapes`, chunks of 8 frames give the frames of the whole, and the state keeps its shapes."""
    generator: Generator = subject.build()
    if not isinstance(generator, SupportsFixedShapes):
        raise NotApplicable("it does not declare SupportsFixedShapes")
    size, lag = 8, 1
    try:
        chunks: FixedShapeStream = generator.fixed_shape_stream(size, lag)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    steps, total = subject.context.steps_per_frame, 2 * size + 3
    reference, audio = poses(subject, 1, 2), features(subject, 1, total)
    count = -(-(total + chunks.delay) // size)
    # What is before the first frame and after the last is no silence, and must not be heard.
    outside = features(subject, 1, lag + count * size, seed=1)
    heard = torch.cat([outside[:, : lag * steps], audio, outside[:, lag * steps :]], dim=1)
    state, frames = chunks.init_state(reference, seed=5), []
    shapes = {name: value.shape for name, value in state.items()}
    for chunk in range(count):
        end = torch.tensor(total if (chunk + 1) * size - lag >= total else 1 << 40)
        piece = heard[:, chunk * size * steps : (chunk + 1) * size * steps]
        motion, state = chunks(piece, torch.tensor(chunk), end, state)
        assert {name: value.shape for name, value in state.items()} == shapes, "the state's shapes change"
        frames.append(motion)
    got = torch.cat(frames, dim=1)[:, chunks.delay : chunks.delay + total]
    same(got, generator(reference, audio, seed=5), "chunks")


def _streaming(generator: Generator) -> SupportsStreaming:
    if not isinstance(generator, SupportsStreaming):
        raise NotApplicable("it does not declare SupportsStreaming; sessions hear the whole clip first")
    return generator


def _streamed(
    subject: Subject, generator: SupportsStreaming, reference: Tensor, audio: Tensor, cut: tuple[int, ...]
) -> list[Tensor]:
    """Frames by piece of audio, in frames; the last belongs to an empty last piece."""
    state = generator.init_state(reference, seed=5)
    pieces = []
    for piece in torch.split(audio, [frames * subject.context.steps_per_frame for frames in cut], dim=1):
        frames, state = generator.step(piece, state)
        pieces.append(frames)
    return [*pieces, generator.step(audio[:, :0], state, last=True)[0]]
