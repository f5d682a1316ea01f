"""TrainContext: what a phase is built from, and what it may ask the trainer for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import nn

from ..core.built import checked_part
from ..core.component import Component, require_registered
from ..core.errors import SpecError
from ..core.interfaces.phase import UsesParts
from ..core.interfaces.sample import Track
from ..core.interfaces.specs import BuildContext, ComponentSpec
from ..core.spec import building
from ..data.corpus import Corpus
from ..pipeline.pipeline import Pipeline
from .batch_partition import BatchPartition
from .batches import MOTION_AND_AUDIO, Batches
from .settings import DataSpec, OptimizerSpec
from .stepper import Stepper

C = TypeVar("C", bound=Component)

TRACK_REMEDY = "headmotion prepare --frames keeps pictures, --labels what a detector gives per frame"
PIPELINE_PARTS = ("generator", "renderer", "representation", "audio_encoder")
"""Parts of the pipeline, which go into the model."""
GIVEN_PARTS = ("syncers",)
"""Parts that a run may take from the file of another; see `train`."""


def frames_after(parts: Iterable[Any]) -> int:
    """Return how many frames after the motion some parts look at, by their ``audio_context``; see `Loss`."""
    return max((part.audio_context[1] for part in parts if hasattr(part, "audio_context")), default=0)


@dataclass
class TrainContext:
    """The surroundings of one phase: pipeline, clips, processes, and what earlier phases made."""

    name: str
    """Name of the phase in the recipe."""
    number: int
    """Place of the phase in the recipe, from 1."""
    pipeline: Pipeline
    """The pipeline, whose parts are trained in place."""
    corpus: Corpus
    """The clips that are trained on."""
    data: DataSpec
    """How clips become batches, unless the phase has settings of its own."""
    partition: BatchPartition = field(default_factory=BatchPartition)
    """The processes that share a batch, the parts that each computes it in, and the precision."""
    seed: int = 0
    """The recipe's."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What earlier phases make, by name; see `use`."""
    used: set[str] = field(default_factory=set)
    """Names of parts that the phase has asked for."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Earlier phases without steps, by the name of what they would make."""
    notes: list[str] = field(default_factory=list)
    """What is odd about the clips that the phase has asked for, one line each; warned of before its first step."""

    @property
    def build_context(self) -> BuildContext:
        """What parts of the phase are built in."""
        size, labels = self.corpus.picture_size, self.corpus.label_names
        return replace(self.pipeline.context(), picture_size=size, label_names=labels)

    def build(self, specs: Iterable[ComponentSpec], offset: int = 0) -> list[Component]:
        """Build parts on the pipeline's device, with weights that depend on the seed alone.

        Args:
            specs: of the parts, which draw their weights one after another.
            offset: added to the recipe's seed, so that parts of other calls have other weights.

        Raises:
            SpecError: a part that cannot be built.
        """
        context = self.build_context
        with building(f"{self.name} phase"), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed + offset)
            parts = [
                checked_part(spec, spec.build(context)).to(self.pipeline.device, self.partition.dtype) for spec in specs
            ]
        for part in parts:
            require_registered(part, self.pipeline.children())
        return parts

    def use(self, name: str, user: str = "it") -> Any:
        """Return a part by the name under which an earlier phase hands it on, or one of the pipeline.

        It is trained when `Phase.start` is called, and what earlier phases made is frozen then.

        Args:
            name: of the part.
            user: who uses it, for the error.

        Raises:
            SpecError: there is no such part.
        """
        if name in self.parts:
            self.used.add(name)
            return self.parts[name]
        if name in PIPELINE_PARTS:
            return getattr(self.pipeline, name)
        if phase := self.left_out.get(name):
            remedy = f"set phases.{phase}.steps above 0"
            if name in GIVEN_PARTS:
                remedy += f", or give those of another run (--{name} FILE)"
            raise SpecError(f"{self.name} phase", f"trained {name}, which {user} uses", f"{phase} with 0 steps", remedy)
        known = ", ".join([*self.parts, *PIPELINE_PARTS])
        remedy = "a phase can use what the phases before it make"
        raise SpecError(f"{self.name} phase", f"the name of a part among {known}", repr(name), remedy)

    def connect(self, parts: Iterable[object]) -> None:
        """Give losses and other parts what they use of earlier phases (`UsesParts`).

        Raises:
            SpecError: there is no such part.
        """
        for part in parts:
            if isinstance(part, UsesParts):
                user = f"{part.spec.kind} {part.spec.type_name()}" if isinstance(part, Component) else "it"
                part.use_parts({name: self.use(name, user) for name in part.uses})

    def tracks(self, parts: Iterable[Any], always: Collection[Track] = ()) -> frozenset[Track]:
        """Return the tracks that parts need, all of which the corpus has.

        Args:
            parts: those with an attribute ``needs`` count.
            always: tracks that are needed in any case.

        Raises:
            SpecError: the corpus lacks a track; the error names the part that needs it.
        """
        needs: dict[str, frozenset[Track]] = {
            f"{part.spec.kind} {part.spec.type_name()}": part.needs for part in parts if hasattr(part, "needs")
        }
        needs[f"{self.name} phase"] = frozenset(always)
        for part, needed in needs.items():
            if missing := sorted(needed - self.corpus.tracks):
                expected = f"a corpus with the track {missing[0]!r}, which {part} needs"
                got = f"clips with {', '.join(sorted(self.corpus.tracks))}"
                raise SpecError(f"{self.name} phase", expected, got, TRACK_REMEDY)
        return frozenset[Track]().union(*needs.values())

    def batches(
        self,
        frames: int,
        steps: int,
        tracks: Collection[Track] = MOTION_AND_AUDIO,
        data: DataSpec | None = None,
        context_frames: int = 0,
        audio_after: int = 0,
    ) -> Batches:
        """Return the batches of the phase, by step.

        Args:
            frames: motion frames per clip.
            steps: number of steps of the phase.
            tracks: what a batch holds besides motion.
            data: how clips become batches; None means the recipe's.
            context_frames: reference frames before the motion.
            audio_after: frames after the motion whose features a batch holds too; see `frames_after`.

        Raises:
            SpecError, CorpusError: the clips do not fit.
        """
        spec, pipeline = data or self.data, self.pipeline
        self.tracks((), tracks)
        needed, lengths = context_frames + frames, self.corpus.frame_counts
        if short := int((lengths < needed).sum()):
            text = f"{short} of {len(lengths)} clips are shorter than the {needed} frames of a crop and are never drawn"
            self.notes.append(text)
        seed = self.seed * 10 + self.number
        context, encoder = self.build_context, pipeline.audio_encoder
        return Batches(
            self.corpus,
            spec,
            encoder,
            context,
            frames,
            seed,
            self.partition,
            steps,
            context_frames,
            tracks,
            audio_after,
        )

    def stepper(self, name: str, parameters: Iterable[nn.Parameter], spec: OptimizerSpec, steps: int) -> Stepper:
        """Return an optimizer whose gradients are averaged over the processes.

        Args:
            name: of what is trained, for errors and the log.
            parameters: what is trained; those without gradients are left out.
            spec: of the optimizer.
            steps: of the phase.
        """
        return Stepper(name, parameters, spec, steps, self.partition.processes)
