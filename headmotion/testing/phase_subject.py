"""A phase under test: a small pipeline and a small corpus with all tracks, on which it takes a few steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..core.interfaces.phase import Phase
from ..core.interfaces.specs import BuildContext, PhaseSpec, RepresentationSpec
from ..core.pipeline_spec import PipelineSpec
from ..data.clip import SAMPLE_RATE, Clip
from ..data.corpus import Corpus, open_corpus
from ..data.pictures import encode_pictures
from ..data.shard_writer import write_shards
from ..pipeline.loading import build
from ..training.context import TrainContext
from ..training.settings import DataSpec
from .build_context import Subject
from .inputs import UNIT_SQUARE, poses

CLIPS, FRAMES, EDGE = 4, 60, 96
"""Clips of the corpus, frames of each, and edge of the pictures (px)."""
MAX_STEPS = 2
"""Steps that are taken of a phase."""
GENERATOR = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "encoder_size": 16, "pose_size": 8}
GENERATOR |= {"audio_size": 8, "audio_widths": (8, 8, 8), "branch_size": 8}


@dataclass(frozen=True)
class PhaseSubject:
    """A spec of a phase, and the representation whose motion it is trained on."""

    spec: PhaseSpec
    """The spec under test."""
    representation: RepresentationSpec
    """Of the pipeline and the corpus."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What earlier phases would have made, by name."""
    pipeline: Mapping[str, Any] = field(default_factory=dict)
    """Specs of the pipeline's parts by kind, in place of the default ones and of a small generator."""

    @contextmanager
    def context(self, seed: int = 0) -> Iterator[TrainContext]:
        """Yield what a phase is built from; its files are removed afterwards.

        Args:
            seed: of the weights.
        """
        own = {"representation": self.representation.model_dump(mode="json"), "generator": GENERATOR}
        spec = PipelineSpec.model_validate(own | dict(self.pipeline))
        pipeline = build(spec, seed=seed, device="cpu")
        with tempfile.TemporaryDirectory() as folder:
            corpus = _corpus(Path(folder) / "corpus", self.representation)
            data = DataSpec(batch_size=CLIPS)
            yield TrainContext("phase", 1, pipeline, corpus, data, seed=seed, parts=self.parts)

    def build(self, context: TrainContext) -> Phase:
        """Build the phase, with a few steps."""
        spec = self.spec
        return spec.model_copy(update={"steps": min(spec.steps, MAX_STEPS)}).build(context)


def _corpus(folder: Path, spec: RepresentationSpec) -> Corpus:
    """Write clips of random motion and sound, with a picture and four labels per frame."""
    representation = spec.build()
    subject = Subject(spec, BuildContext(representation, audio_channels=26))
    motion = representation.denormalize(poses(subject, CLIPS, FRAMES), UNIT_SQUARE).numpy().astype(np.float32)
    rng = np.random.default_rng(0)
    clips = [
        Clip(
            id=f"clip{number}",
            speaker=f"speaker{number % 2}",
            split="train",
            landmarks=values,
            audio=rng.normal(0, 0.1, FRAMES * SAMPLE_RATE // 25).clip(-1, 1).astype(np.float32),
            fps=Fraction(25),
            frames=encode_pictures(rng.integers(0, 256, (EDGE, EDGE, 3), np.uint8) for _ in range(FRAMES)),
            labels=rng.random((FRAMES, 4), np.float32),
            label_names=("smileLeft", "smileRight", "jawOpen", "browUp"),
            image_size=(EDGE, EDGE),
        )
        for number, values in enumerate(motion)
    ]
    return open_corpus(write_shards(folder, clips, representation=spec))
