"""FlatSyncer: a syncer that treats a window as one long vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from headmotion import BuildContext, Syncer

if TYPE_CHECKING:
    from .specs import FlatSyncerSpec


class FlatSyncer(Syncer):
    """``embedding = W(tanh(V(normalize(window))))``, for audio and for motion."""

    def __init__(self, spec: FlatSyncerSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.window = spec.window
        audio_size = spec.window * context.steps_per_frame * context.audio_channels
        motion_size = spec.window * context.representation.points * context.representation.dims

        def network(inputs: int) -> nn.Module:
            hidden = nn.Linear(inputs, spec.hidden_size)
            return nn.Sequential(
                nn.Flatten(), nn.LayerNorm(inputs), hidden, nn.Tanh(), nn.Linear(spec.hidden_size, spec.embedding_size)
            )

        self.audio, self.motion = network(audio_size), network(motion_size)

    def embed_audio(self, audio: Tensor) -> Tensor:
        """Embed audio windows ``[B, steps_per_frame * w, C]`` as ``[B, E]``."""
        embedded: Tensor = self.audio(audio)
        return embedded

    def embed_motion(self, motion: Tensor) -> Tensor:
        """Embed motion windows ``[B, w, P, D]`` as ``[B, E]``."""
        embedded: Tensor = self.motion(motion)
        return embedded
