"""Targets: what a phase trains, and how it makes a sample like the recorded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..core.component import Component
from ..core.errors import SpecError
from ..core.interfaces.audio_encoder import AudioEncoder
from ..core.interfaces.capabilities import SupportsTrainingTerms
from ..core.interfaces.discriminator import SupportsPrediction
from ..core.interfaces.generator import Generator
from ..core.interfaces.renderer import Renderer
from ..core.interfaces.sample import Sample, Track
from ..core.outputs import checked_motion, checked_terms
from .context import TrainContext
from .renderer_target import RendererTarget


class Target(Protocol):
    """A part that is trained, with what the trainer must know of it."""

    @property
    def module(self) -> Component:
        """What is trained."""
        ...

    @property
    def makes(self) -> Track | None:
        """The track that it makes; None for a part that only judges."""
        ...

    @property
    def needs(self) -> frozenset[Track]:
        """Tracks of the recorded sample that it makes its own from."""
        ...

    @property
    def context_frames(self) -> int:
        """Reference frames before the motion."""
        ...

    def generate(self, real: Sample, seeds: Sequence[int]) -> Sample:
        """Return the recorded sample with what the part makes in the place of what was recorded, with gradients.

        Args:
            real: recorded clips.
            seeds: of random numbers, one per clip.
        """
        ...

    def training_terms(self, real: Sample, step: int, seeds: Sequence[int]) -> Mapping[str, Tensor]:
        """Return the scalar terms that the part defines itself, by name; none for most.

        Args:
            real: recorded clips.
            step: number of the step.
            seeds: of random numbers, one per clip.
        """
        ...


class GeneratorTarget:
    """A generator, which makes motion from features and a reference."""

    makes: Track = "motion"
    """Motion."""
    needs: frozenset[Track] = frozenset({"motion", "audio"})
    """The reference and the features."""

    def __init__(self, generator: Generator, context: TrainContext) -> None:
        self.module, self.context_frames = generator, generator.context_frames
        self.steps = context.build_context.steps_per_frame * generator.context_frames
        self.partition = context.partition

    def generate(self, real: Sample, seeds: Sequence[int]) -> Sample:
        """Return the sample with generated motion."""
        with self.partition.autocast(real.audio.device):
            motion = self.module(real.reference, real.audio[:, self.steps :], seed=seeds)
        batch, frames, points, dims = real.motion.shape
        motion = checked_motion(self.module, motion, (batch, frames, points, dims), real.motion.device)
        return replace(real, motion=motion.to(real.motion.dtype))

    def training_terms(self, real: Sample, step: int, seeds: Sequence[int]) -> Mapping[str, Tensor]:
        """Return the generator's own terms, if it has any (`SupportsTrainingTerms`)."""
        if not isinstance(self.module, SupportsTrainingTerms):
            return {}
        with self.partition.autocast(real.audio.device):
            terms = self.module.training_terms(real, step, seeds)
        terms = checked_terms(self.module, terms, real.motion.device, "training_terms")
        return {name: term.to(real.motion.dtype) for name, term in terms.items()}


class PredictorTarget:
    """A discriminator that predicts something of a recorded sample, such as a classifier."""

    makes: Track | None = None
    """Nothing."""
    context_frames = 0
    """It looks at the motion alone."""

    def __init__(self, module: Any, context: TrainContext) -> None:
        self.module, self.needs = module, frozenset(module.needs)
        self.partition = context.partition

    def generate(self, real: Sample, seeds: Sequence[int]) -> Sample:
        """Return the sample as it is."""
        return real

    def training_terms(self, real: Sample, step: int, seeds: Sequence[int]) -> Mapping[str, Tensor]:
        """Return the errors of the predictions."""
        with self.partition.autocast(real.motion.device):
            terms = self.module.predictions(real)
        terms = checked_terms(self.module, terms, real.motion.device, "predictions")
        return {name: term.to(real.motion.dtype) for name, term in terms.items()}


class EncoderTarget:
    """An audio encoder with a linear layer, which is dropped after training: features predict a track.

    Args:
        encoder: the encoder.
        track: ``labels`` or ``motion``.
        context: of the phase.
    """

    context_frames = 0
    """Each frame is predicted from the sound at its own time."""

    def __init__(self, encoder: AudioEncoder, track: Track, context: TrainContext) -> None:
        built = context.build_context
        representation, self.steps = built.representation, built.steps_per_frame
        flat = representation.points * representation.dims
        size = len(built.label_names) if track == "labels" else flat
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed + 200)
            self.head = nn.Linear(encoder.channels, size).to(context.pipeline.device, context.partition.dtype)
        self.module, self.makes, self.needs = encoder, track, frozenset({"wave", track})
        self.partition = context.partition

    def generate(self, real: Sample, seeds: Sequence[int]) -> Sample:
        """Return the sample with a prediction from each frame's own features."""
        assert real.wave is not None
        frames = real.motion.shape[1]
        with self.partition.autocast(real.wave.device):
            features = self.module(real.wave, steps=frames * self.steps)
            predicted = self.head(features.unflatten(1, (frames, self.steps)).mean(2)).to(real.motion.dtype)
        if self.makes == "labels":
            return replace(real, labels=predicted)
        return replace(real, motion=predicted.reshape(real.motion.shape))

    def training_terms(self, real: Sample, step: int, seeds: Sequence[int]) -> Mapping[str, Tensor]:
        """Return nothing."""
        return {}


def build_target(name: str, part: Any, context: TrainContext, track: Track | None = None) -> Target:
    """Return what trains a part.

    Args:
        name: of the part, for errors.
        part: the part.
        context: of the phase.
        track: what an audio encoder predicts.

    Raises:
        SpecError: a part that cannot be trained.
    """
    target: Target
    if isinstance(part, Generator):
        target = GeneratorTarget(part, context)
    elif isinstance(part, Renderer):
        target = RendererTarget(part, context)
    elif isinstance(part, SupportsPrediction):
        target = PredictorTarget(part, context)
    elif isinstance(part, AudioEncoder) and track in ("labels", "motion"):
        context.tracks((), {track})
        target = EncoderTarget(part, track, context)
    else:
        remedy = "an audio encoder needs `track: labels` or `track: motion`" if isinstance(part, AudioEncoder) else ""
        got = f"{name!r}, a {type(part).__name__}"
        raise SpecError(
            f"{context.name} phase", "a generator, a renderer, or another part that can be trained", got, remedy
        )
    if track not in (None, target.makes):
        raise SpecError(f"{context.name} phase", f"the track {target.makes!r}, which {name!r} makes", repr(track))
    if not any(True for _ in target.module.parameters()):
        raise SpecError(f"{context.name} phase", "a part with weights to train", f"{name!r}, which has none")
    return target
