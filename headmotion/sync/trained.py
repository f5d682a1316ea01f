"""Trained syncers as a judge: by how much the sound and the motion of a clip are shifted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy.typing as npt
import torch
from torch import Tensor

from ..core.built import checked_part
from ..core.checkpoint import budget_for, load_checkpoint
from ..core.errors import CheckpointError, MotionError
from ..core.interfaces.audio_encoder import AudioEncoder
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import BuildContext, resolve_spec
from ..core.pipeline_spec import PipelineSpec
from ..core.spec import building
from .pyramid import Pyramid
from .specs import PyramidSpec, Space
from .syncer_pyramid import SyncerPyramid, SyncMeasure


@dataclass(frozen=True)
class TrainedSyncers:
    """A pyramid of syncers with the representation and the audio encoder that it was trained with."""

    syncers: SyncerPyramid
    """One syncer per level."""
    representation: Representation
    """Representation of the motion that they take."""
    audio_encoder: AudioEncoder
    """Encoder of the audio that they take."""
    fps: float
    """Motion frames per second that they take."""
    space: Space = "unit"
    """The space in which the syncers were trained."""

    @torch.no_grad()
    def inputs(self, landmarks: npt.ArrayLike | Tensor, audio: npt.ArrayLike | Tensor) -> tuple[Tensor, Tensor]:
        """Prepare one clip for the syncers.

        Args:
            landmarks: ``[T, P, D]`` in pixels at `fps`; a third coordinate is dropped for a 2-D representation.
            audio: the wave ``[S]`` of the same time, at the encoder's rate, in -1..1.

        Returns:
            Motion ``[T, P, D]`` of the unit frame and features ``[steps_per_frame * T, C]``.

        Raises:
            MotionError: landmarks of another shape.
        """
        values = torch.as_tensor(landmarks, dtype=torch.float32)
        if values.dim() != 3:
            raise MotionError("syncers", "landmarks [T, P, D]", f"the shape {list(values.shape)}")
        motion = self.representation.normalize(values, self.representation.frame_of(values[:1]))
        wave = torch.as_tensor(audio, dtype=torch.float32)
        return motion, self.audio_encoder(wave[None], steps=len(values) * self.syncers.steps_per_frame)[0]

    def measure(self, landmarks: npt.ArrayLike, audio: npt.ArrayLike) -> list[SyncMeasure]:
        """Measure offset and confidence per level, the finest first; levels longer than the clip are left out.

        Arguments and errors are those of `inputs`.
        """
        motion, features = self.inputs(landmarks, audio)
        return self.syncers.measure(motion[None], features[None], self.fps)


def load_syncers(path: str | os.PathLike[str]) -> TrainedSyncers:
    """Load a file ``syncers.safetensors``, which training writes, on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged, or another checkpoint.
        SpecError: a part is unknown.
    """
    source = Path(path)
    header, tensors = load_checkpoint(source)
    if not {"pipeline", "syncer", "pyramid"} <= header.spec.keys():
        remedy = "give the syncers.safetensors of a training run"
        raise CheckpointError("syncers", "a file of trained syncers", f"{source}, another checkpoint", remedy)
    spec = PipelineSpec.model_validate(header.spec["pipeline"])
    scales = PyramidSpec.model_validate(header.spec["pyramid"])
    # Building draws weights, which are replaced below; the caller's random state must not change.
    with building("syncers"), torch.random.fork_rng(devices=[]), budget_for(source, header):
        representation = spec.representation.build()
        # The encoder is built without knowing its own channels, which only it can state.
        encoder = spec.audio_encoder.build(BuildContext(representation, 0, spec.steps_per_frame, spec.fps))
        context = BuildContext(representation, encoder.channels, spec.steps_per_frame, spec.fps)
        syncer = resolve_spec("syncer", header.spec["syncer"])
        built = [checked_part(syncer, syncer.build(context)) for _ in range(scales.levels)]
        syncers = SyncerPyramid(built, Pyramid(scales.levels, scales.kernel, scales.stride), spec.steps_per_frame)
    try:
        syncers.load_state_dict(tensors)
    except RuntimeError as error:
        got = f"{source}: {str(error).splitlines()[-1].strip()}"
        raise CheckpointError("syncers", "tensors that fit their spec", got) from None
    space = cast("Space", header.spec.get("space", "unit"))
    return TrainedSyncers(syncers.eval(), representation, encoder.eval(), float(spec.fps), space)
