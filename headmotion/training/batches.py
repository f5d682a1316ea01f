"""Batches of aligned motion and audio, each a function of seed, phase and step alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..core.audio_encoder import AudioEncoder
from ..core.errors import CorpusError
from ..core.representation import Frame
from ..core.spec import BuildContext
from ..data.clip import Clip
from ..data.corpus import Corpus
from .recipe import DataSpec


@dataclass(frozen=True)
class Batch:
    """Real clips: motion ``[B, T, P, D]`` of the unit frame and audio features ``[B, 4*T, C]``."""

    motion: Tensor
    audio: Tensor


class Batches:
    """Draws clips, cuts them at random and varies them. Step ``n`` gives the same batch whenever it is asked for."""

    def __init__(
        self, corpus: Corpus, spec: DataSpec, encoder: AudioEncoder, context: BuildContext, frames: int, seed: int
    ) -> None:
        self.spec, self.encoder, self.context, self.frames, self.seed = spec, encoder, context, frames, seed
        lengths = [_checked_length(clip, context) for clip in corpus]
        long_enough = np.array([length >= frames for length in lengths], dtype=bool)
        if not long_enough.any():
            raise CorpusError("corpus", f"clips of at least {frames} frames", f"none among {len(corpus)} clips")
        self.corpus = corpus
        chances = corpus.weights(spec.speaker_balance) * long_enough
        if not chances.any():
            raise CorpusError("corpus", f"a weight above 0 for a clip of at least {frames} frames", "none")
        self.chances = chances / chances.sum()
        self.samples_per_frame = encoder.hop * context.steps_per_frame

    def __call__(self, step: int) -> Batch:
        """The batch of one step, on the encoder's device."""
        chance = np.random.default_rng([self.seed, step])
        picked = chance.choice(len(self.corpus), size=self.spec.batch_size, p=self.chances)
        cuts = [self._cut(self.corpus[int(index)], chance) for index in picked]
        device = next((b.device for b in self.encoder.buffers()), torch.device("cpu"))
        wave = torch.from_numpy(np.stack([audio for _, audio in cuts])).to(device)
        with torch.no_grad():
            features = self.encoder(wave, steps=self.frames * self.context.steps_per_frame)
        return Batch(torch.stack([motion for motion, _ in cuts]).to(device), features)

    def _cut(
        self, clip: Clip, chance: np.random.Generator
    ) -> tuple[Tensor, np.ndarray[tuple[int], np.dtype[np.float32]]]:
        """One cut: motion ``[T, P, D]`` and the wave under it with the encoder's look-ahead."""
        first = int(chance.integers(0, len(clip.landmarks) - self.frames + 1))
        if chance.random() < self.spec.from_start:
            first = 0
        values = torch.from_numpy(clip.landmarks[first : first + self.frames])
        representation = self.context.representation
        frame = representation.frame_of(values[:1])
        wave = np.zeros(self.frames * self.samples_per_frame + self.encoder.look_ahead, np.float32)
        heard = clip.audio[first * self.samples_per_frame :][: len(wave)]
        wave[: len(heard)] = heard
        if not self.spec.augment:
            return representation.normalize(values, frame), wave
        motion = representation.normalize(values, _varied(frame, chance))
        if chance.random() < 0.5:
            motion = representation.flip(motion)
        return motion, wave * np.float32(10 ** (chance.uniform(-9, 6) / 20))


def _checked_length(clip: Clip, context: BuildContext) -> int:
    """Frames of a clip, after a check that it is what the pipeline speaks of."""
    representation, shape = context.representation, clip.landmarks.shape
    if clip.fps != context.fps:
        raise CorpusError(f"clip {clip.id}", f"{context.fps} frames per second, the pipeline's own", str(clip.fps))
    if shape[1] != representation.points or shape[2] < representation.dims:
        wanted = f"landmarks [T, {representation.points}, {representation.dims} or more]"
        raise CorpusError(f"clip {clip.id}", wanted, f"the shape {list(shape)}")
    return len(clip.landmarks)


def _varied(frame: Frame, chance: np.random.Generator) -> Frame:
    """A frame a little larger or smaller and off center, as a loose or tight crop would be."""
    shift_x, shift_y = chance.uniform(-0.04, 0.04, size=2) * frame.side
    return replace(frame, x=frame.x + shift_x, y=frame.y + shift_y, side=frame.side * chance.uniform(0.92, 1.1))
