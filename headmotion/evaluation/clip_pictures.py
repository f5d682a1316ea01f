"""Pictures of evaluated clips: the recorded ones, and what the model's renderer draws of a motion."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..core.interfaces.metric import PicturePair
from ..core.motion import Motion
from ..data.corpus import Corpus
from ..pipeline.pipeline import Pipeline
from .eval_clip import EvalClip
from .eval_split import EvalSplit


class ClipPictures:
    """Draws motion of any source over the first recorded picture of a clip.

    Args:
        pipeline: the model, whose renderer draws.
        split: the evaluated clips.
    """

    def __init__(self, pipeline: Pipeline, split: EvalSplit) -> None:
        self.pipeline, self.corpus = pipeline, Corpus(split.entries)
        self._recorded: tuple[int, Tensor, Tensor] | None = None

    @property
    def missing(self) -> str:
        """Why there are no pictures; empty if there are."""
        if "frames" not in self.corpus.tracks:
            return "the clips have no pictures (headmotion prepare --frames)"
        renderer = self.pipeline.renderer
        if not renderer.needs_image:
            return f"the model's renderer {renderer.spec.type_name()} takes no picture"
        return ""

    def pair(self, clip: EvalClip, motion: Motion) -> PicturePair:
        """Return the pictures of a motion of the clip, ``motion`` in the clip's pixels, and the recorded ones."""
        real, poses = self._read(clip)
        representation = self.pipeline.representation
        # Pictures may be smaller than the recording. The first pose, which is known in both, gives the factor.
        unit = representation.normalize(motion.values, clip.unit_square)
        values = representation.denormalize(unit, representation.frame_of(poses[:1]))
        shown = Motion(values, motion.fps, motion.representation, reference=poses[0])
        image = real[0].permute(1, 2, 0).contiguous().numpy()
        frames = np.stack(list(self.pipeline.iter_frames([shown], image, poses[0].numpy(), clip.audio)))
        return PicturePair(torch.from_numpy(frames).permute(0, 3, 1, 2), real, poses)

    def _read(self, clip: EvalClip) -> tuple[Tensor, Tensor]:
        """Return the recorded pictures and the poses in them; the last clip is kept for the next source."""
        if self._recorded is None or self._recorded[0] != clip.index:
            tracks = self.corpus.read(clip.index, ("motion", "frames"))
            assert tracks.motion is not None and tracks.frames is not None
            poses = torch.tensor(tracks.motion[..., : self.pipeline.representation.dims])
            self._recorded = clip.index, torch.from_numpy(tracks.frames), poses
        return self._recorded[1:]
