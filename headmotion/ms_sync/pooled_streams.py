"""MS-Sync's stream for many speakers at once, each at a position of its own in the audio pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..core.stream_groups import map_in_groups
from .audio_pyramid import AudioPyramid, AudioState, LevelTail, conv_blocks
from .blocks import ConvBlock

if TYPE_CHECKING:
    from .generator import GeneratorState, MSSyncGenerator


@dataclass
class _Stream:
    """One speaker's audio on its way through the pyramid."""

    features: Tensor
    """``[1, steps_per_frame * t, C]``."""
    state: AudioState
    last: bool
    outputs: Tensor
    """What the latest block returned, ``[1, C, n]``."""
    blocks: list[Tensor] = field(default_factory=list)
    tails: list[LevelTail] = field(default_factory=list)


def step_streams(
    generator: MSSyncGenerator, audio: Sequence[Tensor], states: Sequence[GeneratorState], last: Sequence[bool]
) -> list[tuple[Tensor, GeneratorState]]:
    """Return what `MSSyncGenerator.step` returns for each stream of batch 1.

    The frames are generated in one batch: first those of all streams that have one, then those of all that have two.
    """
    audio_states = [state.audio for state in states if isinstance(state.audio, AudioState)]
    vectors, ranges, new_audio = _encode(generator.audio, audio, audio_states, last)
    counts = [len(frames) for frames in ranges]
    # By decreasing number of frames, so that the streams that still have some are the first.
    order = sorted(range(len(states)), key=lambda index: -counts[index])
    starts = [sum(counts[:index]) for index in order]
    hidden, cell, pose, anchor = (
        torch.cat([getattr(states[index], name) for index in order]) for name in ("hidden", "cell", "pose", "anchor")
    )
    poses: list[Tensor] = []
    for number in range(max(counts)):
        active = sum(count > number for count in counts)
        vector = vectors[:, [start + number for start in starts[:active]]]
        before = hidden[:active], cell[:active], pose[:active]
        after = generator.advance(vector, *before, anchor[:active])
        hidden, cell, pose = (
            torch.cat([new, old[active:]]) for new, old in zip(after, (hidden, cell, pose), strict=True)
        )
        poses.append(pose)
    motions = torch.stack(poses, 1) if poses else pose.new_zeros(len(pose), 0, pose.shape[1])
    motions = motions.reshape(*motions.shape[:2], *generator.shape)
    results: dict[int, tuple[Tensor, GeneratorState]] = {}
    for index, motion, *own in zip(order, *(x.chunk(len(order)) for x in (motions, hidden, cell, pose)), strict=True):
        state = replace(states[index], audio=new_audio[index], hidden=own[0], cell=own[1], pose=own[2])
        results[index] = motion[:, : counts[index]], state
    return [results[index] for index in range(len(states))]


def _encode(
    pyramid: AudioPyramid, audio: Sequence[Tensor], states: Sequence[AudioState], last: Sequence[bool]
) -> tuple[Tensor, list[range], list[AudioState]]:
    """Return the vectors ``[L, M, D]`` of the frames of all streams in turn, these frames, and the new states."""
    scaled = map_in_groups(lambda features: (pyramid.scale(features.mT),), [(features,) for features in audio])
    streams = [
        _Stream(features, state, ends, outputs)
        for features, state, ends, (outputs,) in zip(audio, states, last, scaled, strict=True)
    ]
    for number, block in enumerate(conv_blocks([*pyramid.front, *pyramid.coarser])):
        _apply_block(block, number, streams)
        level = number + 1 - len(pyramid.front)
        if level >= 0:
            for stream in streams:
                stream.tails.append(stream.state.levels[level].extended(stream.outputs))
    advanced = [
        pyramid.advance(s.state, s.features.shape[1] // pyramid.steps_per_frame, s.blocks, s.tails, s.last)
        for s in streams
    ]
    ranges = [frames for frames, _ in advanced]
    levels = [
        _at_frames([stream.tails[level] for stream in streams], ranges, level, int(pyramid.interpolation == "causal"))
        for level in range(len(pyramid.coarser) + 1)
    ]
    return torch.stack(levels), ranges, [state for _, state in advanced]


def _apply_block(block: ConvBlock, number: int, streams: Sequence[_Stream]) -> None:
    """Pass the outputs of all streams through a block; those of equal lengths are one batch."""
    for last in (False, True):
        members = [stream for stream in streams if stream.last == last]
        # Coarse blocks get an input every few frames; without one, nothing changes before the end.
        busy = [stream for stream in members if last or stream.outputs.shape[-1]]
        inputs = [(stream.outputs, stream.state.blocks[number]) for stream in busy]
        results = iter(map_in_groups(partial(block.stream, last=last), inputs))
        for stream in members:
            if last or stream.outputs.shape[-1]:
                stream.outputs, state = next(results)
            else:
                stream.outputs, state = (
                    stream.outputs.new_zeros(1, block.project.out_features, 0),
                    stream.state.blocks[number],
                )
            stream.blocks.append(state)


def _at_frames(tails: Sequence[LevelTail], ranges: Sequence[range], level: int, delay: int) -> Tensor:
    """Interpolate a level to the frames of all streams, ``[M, D]``; see `AudioPyramid`."""
    stride, offset = 2**level, 0
    low: list[int] = []
    high: list[int] = []
    weights: list[float] = []
    for tail, frames in zip(tails, ranges, strict=True):
        edge = tail.vectors.shape[-1] - 1
        for frame in frames:
            index = frame // stride - delay - tail.first
            low.append(offset + min(max(index, 0), edge))
            high.append(offset + min(max(index + 1, 0), edge))
            weights.append((frame % stride + delay) / stride)
        offset += tail.vectors.shape[-1]
    vectors = torch.cat([tail.vectors for tail in tails], dim=-1)[0].mT
    return torch.lerp(vectors[low], vectors[high], vectors.new_tensor(weights).unsqueeze(1))
