"""Checks of generators, offline and streaming."""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch
from torch import Tensor, nn

from ...core.errors import SpecError
from ...core.interfaces.capabilities import (
    SupportsDialogue,
    SupportsFixedShapes,
    SupportsPooling,
    SupportsStreaming,
    SupportsUncertainty,
)
from ...core.interfaces.fixed_shape_stream import FixedShapeStream
from ...core.interfaces.generator import Generator
from ..build_context import Subject
from ..hypothesis_sizes import for_sizes
from ..inputs import assert_close, features, poses
from ..kit import NotApplicable, check


@check("generator", 1, "Return [B, T, P, D] with T = audio.shape[1] // context.steps_per_frame.")
@torch.no_grad()
def generator_output_shape(subject: Subject) -> None:
    """There is one finite frame per ``steps_per_frame`` audio steps, for any batch, length and reference."""
    generator: Generator = subject.build()

    def check_sizes(batch: int, frames: int, before: int) -> None:
        reference = poses(subject, batch, before)
        motion = generator(reference, features(subject, batch, frames))
        assert motion.shape == (batch, frames, *reference.shape[2:]), f"{frames} frames give {list(motion.shape)}"
        assert motion.isfinite().all(), "NaN or infinite"

    for_sizes(check_sizes, batch=(1, 4), frames=(1, 24), before=(1, generator.context_frames + 2))


@check("generator", 1, "Read context.steps_per_frame; refuse values that you do not support with SpecError in build.")
@torch.no_grad()
def generator_uses_steps_per_frame(subject: Subject) -> None:
    """With 1, 2 or 4 audio steps per frame, ``A`` steps give ``A / steps_per_frame`` frames, or ``build`` refuses."""
    # 1: one step per frame; 2: encoders at 50 Hz; 4: MS-Sync's hop of 10 ms.
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
def generator_uses_context_frames(subject: Subject) -> None:
    """Of a long reference only the last ``context_frames`` matter; a short one is repeated in front."""
    generator: Generator = subject.build()
    count, audio = generator.context_frames, features(subject, 2, 4)
    long = poses(subject, 2, count + 3)
    assert_close(generator(long[:, -count:], audio), generator(long, audio), "a longer reference")
    short = long[:, -1:]
    repeated = short.expand(-1, count, -1, -1)
    assert_close(generator(short, audio), generator(repeated, audio), "a reference of one frame")


@check("generator", 1, "Draw noise with headmotion.core.noise.normal; let no layer mix samples.")
@torch.no_grad()
def generator_batch_items_are_independent(subject: Subject) -> None:
    """Sample ``b`` of a batch with seed ``s`` equals the result of a batch of one with seed ``s + b``."""
    generator: Generator = subject.build()

    def check_sizes(batch: int, frames: int) -> None:
        reference, audio = poses(subject, batch, 2), features(subject, batch, frames)
        motion, last = generator(reference, audio, seed=7), batch - 1
        assert_close(generator(reference[last:], audio[last:], seed=7 + last), motion[last:], "a single sample")
        seeds = list(range(7, 7 + batch))
        assert_close(generator(reference, audio, seed=seeds), motion, "seeds by sample")

    for_sizes(check_sizes, batch=(1, 4), frames=(1, 12))


@check("generator", 1, "Look for randomness that does not come from `seed`: active dropout, noise without a generator.")
@torch.no_grad()
def generator_is_deterministic_by_seed(subject: Subject) -> None:
    """The same seed gives the same motion, whatever was generated in between."""
    generator: Generator = subject.build()
    reference, audio = poses(subject, 2, 2), features(subject, 2, 6)
    expected = generator(reference, audio, seed=5)
    # Another run in between would change a random state that is not the seed's.
    generator(reference, audio + 1, seed=6)
    assert_close(generator(reference, audio, seed=5), expected, "seed 5 a second time", 0.0)


@check("generator", 2, "Keep in the state all audio that a later frame needs; use nothing that depends on the length.")
@torch.no_grad()
def generator_streaming_equals_offline(subject: Subject) -> None:
    """Audio in chunks of any size gives the offline frames; an empty last chunk returns the remaining ones."""
    generator = subject.build()
    streaming = _require_streaming(generator)
    reference, audio = poses(subject, 2, 2), features(subject, 2, 23)
    expected = generator(reference, audio, seed=5)
    # Single frames, everything at once, and uneven chunks.
    for sizes in ((1,) * 23, (23,), (2, 7, 1, 13)):
        outputs = _stream(subject, streaming, reference, audio, sizes)
        assert_close(torch.cat(outputs, dim=1), expected, f"chunks of {sizes} frames")


@check(
    "generator", 2, "Return a new state from `step`; do not append to a list of the given one or write to its tensors."
)
@torch.no_grad()
def generator_states_are_immutable(subject: Subject) -> None:
    """A stream can be continued twice from one state, as a session does that is tried and rolled back."""
    streaming = _require_streaming(subject.build())
    audio, steps = features(subject, 2, 12), 6 * subject.context.steps_per_frame
    _, state = streaming.step(audio[:, :steps], streaming.init_state(poses(subject, 2, 2)))
    first, second = (streaming.step(audio[:, steps:], state, last=True)[0] for _ in range(2))
    assert_close(second, first, "the same audio from the same state", 0.0)


@check("generator", 2, "State the true lookahead, return frames once they are determined, use no global statistics.")
@torch.no_grad()
def generator_lookahead_as_declared(subject: Subject) -> None:
    """Frame ``t`` is returned once ``lookahead`` further frames have arrived, and depends on nothing later."""
    generator = subject.build()
    streaming = _require_streaming(generator)
    lookahead = streaming.lookahead
    if lookahead is None:
        raise NotApplicable("it needs the whole clip first")
    compared, total = 5, lookahead + 16
    reference, audio = poses(subject, 2, 2), features(subject, 2, total)
    outputs = _stream(subject, streaming, reference, audio, (1,) * total)[:-1]
    returned = 0
    for received, output in enumerate(outputs, start=1):
        returned += output.shape[1]
        assert returned >= received - lookahead, f"{returned} frames after {received}, with a look-ahead of {lookahead}"
    # A change beyond the look-ahead must not reach earlier frames.
    expected = generator(reference, audio)[:, :compared]
    audio[:, (compared + lookahead) * subject.context.steps_per_frame :] += 5
    assert_close(generator(reference, audio)[:, :compared], expected, "other audio beyond the look-ahead")


@check("generator", 2, "Give a standard deviation, 0 or more, for each number of the frames that `step` returned.")
@torch.no_grad()
def generator_deviations_match_frames(subject: Subject) -> None:
    """With `SupportsUncertainty`, every frame has finite standard deviations of its own shape."""
    generator = subject.build()
    if not isinstance(generator, SupportsUncertainty):
        raise NotApplicable("it does not declare SupportsUncertainty")
    audio, state = features(subject, 2, 9), generator.init_state(poses(subject, 2, 2))
    for chunk, last in ((audio, False), (audio[:, :0], True)):
        frames, state = generator.step(chunk, state, last)
        deviation = generator.deviation(state)
        assert deviation.shape == frames.shape, f"{list(deviation.shape)} for frames {list(frames.shape)}"
        assert deviation.isfinite().all() and (deviation >= 0).all(), "negative, NaN or infinite"


@check("generator", 2, "Keep in the state what `push_listener` was given, by its time, until `step` needs it.")
@torch.no_grad()
def generator_accepts_listener_audio(subject: Subject) -> None:
    """With `SupportsDialogue`, frames are finite, and the chunks of the listener's audio do not matter."""
    generator = subject.build()
    if not isinstance(generator, SupportsDialogue):
        raise NotApplicable("it does not declare SupportsDialogue")
    speaker, listener = features(subject, 2, 9), features(subject, 2, 9, seed=1)
    results = []
    # Once as a whole and once in uneven chunks.
    for sizes in ((9,), (1, 3, 5)):
        state, frames = generator.init_state(poses(subject, 2, 2)), []
        steps = [size * subject.context.steps_per_frame for size in sizes]
        for own, other in zip(torch.split(speaker, steps, dim=1), torch.split(listener, steps, dim=1), strict=True):
            output, state = generator.step(own, generator.push_listener(other, state))
            frames.append(output)
        results.append(torch.cat([*frames, generator.step(speaker[:, :0], state, last=True)[0]], dim=1))
        assert results[-1].isfinite().all(), "NaN or infinite"
    assert_close(results[1], results[0], "the listener's audio in chunks")


@check(
    "generator", 2, "Keep tails of one length from the first chunk on; mask positions before frame 0 and past the end."
)
@torch.no_grad()
def generator_fixed_shapes_equal_offline(subject: Subject) -> None:
    """With `SupportsFixedShapes`, chunks of 8 frames give the offline frames, and the state keeps its shapes."""
    size, lag = 8, 1
    generator, stream = _fixed_shape_stream(subject, size, lag)
    steps, total = subject.context.steps_per_frame, 2 * size + 3
    reference, audio = poses(subject, 1, 2), features(subject, 1, total)
    count = -(-(total + stream.delay) // size)
    # Before the first frame and after the last one is noise instead of silence, so that a missing mask shows.
    noise = features(subject, 1, lag + count * size, seed=1)
    padded = torch.cat([noise[:, : lag * steps], audio, noise[:, lag * steps :]], dim=1)
    state, frames = stream.init_state(reference, seed=5), []
    shapes = {name: value.shape for name, value in state.items()}
    for index in range(count):
        end = torch.tensor(total if (index + 1) * size - lag >= total else 1 << 40)
        chunk = padded[:, index * size * steps : (index + 1) * size * steps]
        motion, state = stream(chunk, torch.tensor(index), end, state)
        assert {name: value.shape for name, value in state.items()} == shapes, "the state's shapes change"
        frames.append(motion)
    got = torch.cat(frames, dim=1)[:, stream.delay : stream.delay + total]
    assert_close(got, generator(reference, audio, seed=5), "chunks")


@check(
    "generator", 2, "Let no Python branch, loop, int() or .item() depend on the values of a tensor; use torch.where."
)
@torch.no_grad()
def generator_fixed_shapes_can_be_traced(subject: Subject) -> None:
    """With `SupportsFixedShapes`, one traced step gives the frames of every chunk, as the ONNX export requires."""
    size, lag = 8, 1
    _, stream = _fixed_shape_stream(subject, size, lag)
    steps = size * subject.context.steps_per_frame
    state = stream.init_state(poses(subject, 1, 2), seed=5)
    names, step = list(state), _FlatState(stream, list(state)).eval()
    audio, unknown = features(subject, 1, 4 * size), torch.tensor(1 << 40)
    # Copies, because tensors that are one object would become one input.
    values: tuple[Tensor, ...] = tuple(state[name].clone() for name in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.export.export(step, (audio[:, :steps], torch.tensor(0), unknown, *values)).module()
    for index, end in enumerate((unknown, unknown, torch.tensor(3 * size - 5), torch.tensor(3 * size - 5))):
        chunk = audio[:, index * steps : (index + 1) * steps], torch.tensor(index), end
        expected, got = step(*chunk, *values), traced(*chunk, *values)
        for name, right, traced_value in zip(["frames", *names], expected, got, strict=True):
            assert_close(traced_value, right, f"chunk {index}, {name} of the traced step")
        values = expected[1:]


@check(
    "generator", 2, "Process each stream of `step_streams` from its own state; streams stand at different positions."
)
@torch.no_grad()
def generator_streams_together_equal_alone(subject: Subject) -> None:
    """With `SupportsPooling`, streams at different positions give together the frames that each gives alone."""
    generator = subject.build()
    if not isinstance(generator, SupportsPooling):
        raise NotApplicable("it does not declare SupportsPooling; pools advance one stream after the other")
    steps = subject.context.steps_per_frame
    states = [generator.init_state(poses(subject, 1, 2, seed=k), seed=k) for k in range(4)]
    single_states = list(states)
    for round_number in range(12):
        # The first has no news every other turn, the second runs ahead, and the third joins late and ends early.
        counts = (round_number % 2, 2, 1 if 3 <= round_number < 8 else 0, 1)
        last = (round_number == 11, round_number == 11, round_number == 8, round_number == 11)
        members = [k for k in range(4) if counts[k] or last[k]]
        audio = [features(subject, 1, counts[k], seed=10 * round_number + k)[:, : counts[k] * steps] for k in members]
        results = generator.step_streams(audio, [states[k] for k in members], [last[k] for k in members])
        for k, features_of, (frames, state) in zip(members, audio, results, strict=True):
            expected, single_states[k] = generator.step(features_of, single_states[k], last[k])
            assert_close(frames, expected, f"stream {k} together with others, in round {round_number}")
            states[k] = state


class _FlatState(nn.Module):
    """A stream of fixed shapes whose state is an argument per tensor."""

    def __init__(self, stream: FixedShapeStream, names: list[str]) -> None:
        super().__init__()
        self.stream, self.names = stream, names

    def forward(self, audio: Tensor, chunk: Tensor, end: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        motion, state = self.stream(audio, chunk, end, dict(zip(self.names, values, strict=True)))
        return (motion, *(state[name] for name in self.names))


def _require_streaming(generator: Generator) -> SupportsStreaming:
    if not isinstance(generator, SupportsStreaming):
        raise NotApplicable("it does not declare SupportsStreaming; sessions collect the whole clip first")
    return generator


def _stream(
    subject: Subject, generator: SupportsStreaming, reference: Tensor, audio: Tensor, sizes: tuple[int, ...]
) -> list[Tensor]:
    """Return the output for each chunk of audio and for an empty last one; sizes are in frames."""
    state = generator.init_state(reference, seed=5)
    outputs = []
    for chunk in torch.split(audio, [size * subject.context.steps_per_frame for size in sizes], dim=1):
        frames, state = generator.step(chunk, state)
        outputs.append(frames)
    return [*outputs, generator.step(audio[:, :0], state, last=True)[0]]


def _fixed_shape_stream(subject: Subject, size: int, lag: int) -> tuple[Generator, FixedShapeStream]:
    """Return a generator and its stream of fixed shapes, if it has one."""
    generator: Generator = subject.build()
    if not isinstance(generator, SupportsFixedShapes):
        raise NotApplicable("it does not declare SupportsFixedShapes")
    try:
        return generator, generator.fixed_shape_stream(size, lag)
    except SpecError as error:
        raise NotApplicable(str(error)) from None
