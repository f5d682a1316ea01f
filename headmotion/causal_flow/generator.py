"""The generator `causal-flow`: lips follow speech by regression, all else is sampled by a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from ..core.interfaces.generator import Generator
from ..core.interfaces.sample import Sample
from ..core.interfaces.specs import BuildContext
from ..core.motion import Motion
from ..core.noise import sample_seeds
from ..core.short_repr import short_repr
from ..core.stream_groups import group_by
from .coordinates import Coordinates, Reference
from .flow_head import FlowHead
from .flow_state import FlowState, join_states, split_state
from .reference_features import ReferenceFeatures
from .smooth_noise import SmoothNoise
from .specs import CausalFlowGeneratorSpec
from .training_terms import training_terms
from .trunk import Trunk

NOISE_FRAMES = 25
"""Frames whose noise is drawn at a time, at least."""


class CausalFlowGenerator(Generator):
    """``motion[t]`` from the speech around frame ``t``, the reference, and smooth noise; nothing is fed back.

    Because no frame depends on the ones generated before it, errors cannot accumulate over time, and all frames are
    computed at once. What ties sampled frames to each other is their noise (`SmoothNoise`).
    """

    context_frames = 1
    closes_parted_lips = True

    def __init__(self, spec: CausalFlowGeneratorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.settings, self.context, self.steps_per_frame = spec, context, context.steps_per_frame
        self.coordinates = Coordinates(context.representation, spec.regressed, spec.codes, spec.head_amount)
        self.audio_scale = nn.BatchNorm1d(context.audio_channels, momentum=None, affine=False)
        self.audio = nn.Linear(context.steps_per_frame * context.audio_channels, spec.width)
        self.pose = ReferenceFeatures(context.representation, spec.width)
        self.onset = nn.Linear(2, spec.width)
        self.trunk = Trunk(spec.width, spec.blocks, spec.kernel, spec.lookahead_frames, spec.expansion)
        self.lips = Regression(spec.width, spec.expansion, self.coordinates.regressed_size)
        sampled = self.coordinates.sampled_size
        self.flow = FlowHead(sampled, spec.width, spec.flow_width, spec.flow_blocks, spec.expansion)
        # What the flow gets in place of outputs of the trunk where it does without the speech.
        self.unconditional = nn.Linear(spec.width, spec.width) if spec.condition_dropout else None
        self.lookahead: int | None = spec.lookahead_frames
        # Brows and lids move as fast as nods; the share of posture is that of the head only.
        posture = torch.zeros(sampled)
        posture[: self.coordinates.frame.size] = spec.posture_share
        lengths = [float(context.fps) * seconds for seconds in spec.noise_seconds]
        expression = spec.temperature if spec.expression_temperature is None else spec.expression_temperature
        self.temperature = torch.full((sampled,), expression)
        self.temperature[: self.coordinates.frame.size] = spec.temperature
        self.noise = SmoothNoise(lengths, torch.stack([1 - posture, posture]))

    @override
    def forward(self, reference: Tensor, audio: Tensor, seed: int | Sequence[int] = 0) -> Tensor:
        state = self.init_state(reference, seed)
        context = self.trunk(self.trunk_inputs(audio, state.features))
        return self._decode(context, self._with_noise(state, context.shape[1]))

    def init_state(self, reference: Tensor, seed: int | Sequence[int] = 0) -> FlowState:
        """Return the state of a stream that continues the reference ``[B, R, P, D]``."""
        pose, seeds = reference[:, -1], tuple(sample_seeds(seed, len(reference)))
        trunk, start = self.trunk.init_state(len(pose)), self.coordinates.reference(pose)
        none = pose.new_zeros(0, self.coordinates.sampled_size)
        return FlowState(trunk, start, self.pose(pose), seeds, (0,) * len(pose), (none,) * len(pose))

    def step(self, audio: Tensor, state: FlowState, last: bool = False) -> tuple[Tensor, FlowState]:
        """Process the next features of a stream; see `SupportsStreaming`."""
        inputs = self.trunk_inputs(audio, state.features)
        context, trunk = self.trunk.step(inputs, state.trunk, last)
        count = context.shape[1]
        state = self._with_noise(state, count)
        frames, noise = tuple(first + count for first in state.frames), tuple(drawn[count:] for drawn in state.noise)
        return self._decode(context, state), replace(state, trunk=trunk, frames=frames, noise=noise)

    def step_streams(
        self, audio: Sequence[Tensor], states: Sequence[FlowState], last: Sequence[bool]
    ) -> list[tuple[Tensor, FlowState]]:
        """Return what `step` returns for each of several streams of batch 1; see `SupportsPooling`."""
        results: dict[int, tuple[Tensor, FlowState]] = {}
        keys = [(a.shape, state.shapes, end) for a, state, end in zip(audio, states, last, strict=True)]
        for indices in group_by(keys):
            joined = join_states([states[index] for index in indices])
            motion, after = self.step(torch.cat([audio[index] for index in indices]), joined, last[indices[0]])
            results |= zip(indices, zip(motion.chunk(len(indices)), split_state(after), strict=True), strict=True)
        return [results[index] for index in range(len(states))]

    def training_terms(self, real: Sample, step: int, seed: int | Sequence[int]) -> Mapping[str, Tensor]:
        """Return the generator's own terms; see `headmotion.causal_flow.training_terms`."""
        return training_terms(self, real, sample_seeds(seed, len(real.motion)))

    def trunk_inputs(self, audio: Tensor, pose: Tensor) -> Tensor:
        """Return the inputs of the trunk ``[B, T, W]``.

        Args:
            audio: features ``[B, steps_per_frame * T, C]``.
            pose: features of the reference, ``[B, W]``.
        """
        return self.scaled_inputs(self.scaled(audio), pose)

    def scaled(self, audio: Tensor) -> Tensor:
        """Return features ``[B, A, C]`` standardized over the training data."""
        scaled: Tensor = self.audio_scale(audio.mT).mT if audio.shape[1] else audio
        return scaled

    def scaled_inputs(self, scaled: Tensor, pose: Tensor) -> Tensor:
        """Return the inputs of the trunk of standardized features; see `trunk_inputs`."""
        frames = scaled.shape[1] // self.steps_per_frame
        inputs: Tensor = self.audio(scaled.reshape(len(scaled), frames, self.steps_per_frame * scaled.shape[2]))
        return inputs + pose.unsqueeze(1)

    def flow_context(self, context: Tensor, starts: Tensor) -> Tensor:
        """Return the context of the flow ``[B, T, W]``: outputs of the trunk, and how far the reference is.

        Lips must not know it, or they would learn when the words of the corpus's sentences are spoken.

        Args:
            context: outputs of the trunk, ``[B, T, W]``.
            starts: number of each sample's first frame, int64 ``[B]``; 0 is the first after the reference.
        """
        elapsed = starts.unsqueeze(1) + torch.arange(1, context.shape[1] + 1, device=context.device)
        elapsed = (elapsed / self.settings.onset_frames).clamp(0, 1).to(context).unsqueeze(-1)
        onset: Tensor = self.onset(torch.cat([elapsed, elapsed.sqrt()], dim=-1))
        return context + onset

    def unconditional_context(self, context: Tensor, pose: Tensor) -> Tensor:
        """Return what the flow gets in place of ``context`` where it does without the speech, ``[B, T, W]``."""
        assert self.unconditional is not None, "the spec has no condition_dropout"
        unconditional: Tensor = self.unconditional(pose).unsqueeze(1).expand_as(context)
        return unconditional

    def decode(self, context: Tensor, starts: Tensor, noise: Tensor, reference: Reference, pose: Tensor) -> Tensor:
        """Return motion ``[B, T, P, D]``; while training, in one Euler step.

        Args:
            context: outputs of the trunk ``[B, T, W]``.
            starts: as for `flow_context`.
            noise: of these frames ``[B, T, S]``, of variance 1.
            reference: what the motion is relative to.
            pose: features of the reference, ``[B, W]``.
        """
        steps = 1 if self.training else self.settings.euler_steps
        start = self.temperature.to(context) * noise.to(context)
        guidance = self.settings.guidance
        without = None if guidance == 1 else self.flow_context(self.unconditional_context(context, pose), starts)
        codes = self.flow.sample(start, self.flow_context(context, starts), steps, without, guidance)
        gain, limits = self.settings.regressed_gain, self.settings.value_range
        motion = self.coordinates.decode(self.lips(context), codes, reference, gain)
        return motion if limits is None else motion.clamp(*limits)

    def fixed_shape_stream(self, frames: int, lag: int) -> FixedShapeStream:
        """Return the stream in chunks of ``frames`` frames; see `SupportsFixedShapes`."""
        from .onnx_step import CausalFlowOnnxStep

        return CausalFlowOnnxStep(self, frames, lag)

    def styled(self, style: Any) -> CausalFlowGenerator:
        """Return the generator with a head that moves as much and as fast as in a clip of a person.

        Args:
            style: a `Motion` of this representation; see `headmotion.causal_flow.motion_style`.

        Raises:
            HeadmotionError: no motion, or one that shows no moving head.
        """
        from .motion_style import style_settings

        if not isinstance(style, Motion):
            remedy = "hm.Motion.load, or --style FILE of a command, reads one"
            raise SpecError("style of causal-flow", "a motion of the person", short_repr(style), remedy)
        return self.with_settings(**style_settings(self, style))

    def with_settings(self, **fields: Any) -> CausalFlowGenerator:
        """Return a generator with the same weights, not copied, and other settings that fit them."""
        spec = self.settings.model_validate(self.settings.model_dump() | fields)
        with torch.random.fork_rng(devices=[]):
            generator = CausalFlowGenerator(spec, self.context)
        generator.load_state_dict(self.state_dict(), assign=True)
        return generator.to(self.onset.weight.device).train(self.training)

    def _with_noise(self, state: FlowState, count: int) -> FlowState:
        """Return a state that has the noise of the next ``count`` frames.

        The noise of a frame is a sum over the white noise of many, so it is drawn for a second at a time.
        """
        if all(len(drawn) >= count for drawn in state.noise):
            return state
        noise = []
        for seed, first, drawn in zip(state.seeds, state.frames, state.noise, strict=True):
            if len(drawn) < count:
                begin = first + len(drawn)
                new = self.noise((seed,), range(begin, max(first + count, begin + NOISE_FRAMES)))[0]
                drawn = torch.cat([drawn, new.to(drawn)])
            noise.append(drawn)
        return replace(state, noise=tuple(noise))

    def _decode(self, context: Tensor, state: FlowState) -> Tensor:
        """Return motion ``[B, T, P, D]`` of outputs of the trunk ``[B, T, W]``."""
        starts, count = state.frames, context.shape[1]
        if not count:
            return state.reference.pose.unsqueeze(1)[:, :0]
        noise = torch.stack([drawn[:count] for drawn in state.noise])
        return self.decode(context, torch.tensor(starts, device=context.device), noise, state.reference, state.features)


class Regression(nn.Module):
    """A hidden layer from outputs of the trunk to ``size`` numbers, ``[B, T, W] -> [B, T, N]``; N may be 0."""

    def __init__(self, width: int, expansion: int, size: int) -> None:
        super().__init__()
        hidden = expansion * width
        # Without numbers to predict there are no weights, because nothing would train them.
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, size)) if size else None

    @override
    def forward(self, context: Tensor) -> Tensor:
        return context[..., :0] if self.layers is None else self.layers(context)
