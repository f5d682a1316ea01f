"""Causal flow's stream as a fixed graph, for ONNX: every chunk has the same shapes, and the graph draws its noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from typing_extensions import override

from ..core.interfaces.fixed_shape_stream import FixedShapeStream
from ..core.noise_graph import NoiseGraph
from .coordinates import Reference
from .trunk import TrunkBlock

if TYPE_CHECKING:
    from .generator import CausalFlowGenerator


class CausalFlowOnnxStep(FixedShapeStream):
    """The generator's stream in chunks of one size.

    The seed is in the state, as keys from which the graph draws the white noise of each frame, so one file serves any
    seed. Blocks of the trunk get what `Trunk` pads the speech with.

    Args:
        generator: its parameters are shared.
        frames: motion frames per chunk.
        lag: see `FixedShapeStream`.
    """

    def __init__(self, generator: CausalFlowGenerator, frames: int, lag: int) -> None:
        super().__init__()
        self.generator, self.frames, self.lag = generator, frames, lag
        self.delay = lag + generator.trunk.lookahead
        noise = generator.noise
        self._white = NoiseGraph(range(noise.parts), generator.coordinates.sampled_size)
        # Noise is drawn for the frames of the chunk, never before 0, and used by its motion, which lies before.
        self._noise_frames = noise.reach + self.delay

    @override
    def init_state(self, reference: Tensor, seed: int = 0) -> dict[str, Tensor]:
        start, noise = self.generator.init_state(reference, seed), self.generator.noise
        white = [noise.white((seed,), range(-self._noise_frames, 0), part) for part in range(noise.parts)]
        poses = {"pose": start.reference.pose, "basis": start.reference.basis, "pose_features": start.features}
        drawn = {"noise_keys": self._white.keys(seed), "white_noise": torch.cat(white).to(start.features)}
        trunk = {
            f"trunk_{k}": state.new_zeros(1, state.shape[1] + block.lookahead, state.shape[2])
            for k, (block, state) in enumerate(zip(self._blocks(), start.trunk, strict=True))
        }
        return poses | drawn | trunk

    @override
    def forward(
        self, audio: Tensor, chunk: Tensor, end: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        new_state, first = dict(state), self.frames * chunk
        start = first - self.lag
        inputs = self.generator.trunk_inputs(audio, state["pose_features"])
        context = self._with_held_end(inputs, state["trunk_0"][:, -1:], end - 1 - start)
        for k, block in enumerate(self._blocks()):
            context = self._after_beginning(context, start)
            context, new_state[f"trunk_{k}"] = block.stream(context, state[f"trunk_{k}"])
            start = start - block.lookahead
        drawn = self._white(state["noise_keys"], first, self.frames)
        white = torch.cat([state["white_noise"], drawn.to(context)], dim=1)
        new_state["white_noise"] = white[:, self.frames :]
        used = white[:, : self.generator.noise.reach + self.frames]
        noise = self.generator.noise.smooth([used[part : part + 1] for part in range(len(used))])
        reference = Reference(state["pose"], state["basis"])
        context = self.generator.trunk.norm(context)
        motion = self.generator.decode(context, start.unsqueeze(0), noise, reference, state["pose_features"])
        return motion, new_state

    def _blocks(self) -> list[TrunkBlock]:
        return [block for block in self.generator.trunk.blocks if isinstance(block, TrunkBlock)]

    def _with_held_end(self, inputs: Tensor, before: Tensor, last: Tensor) -> Tensor:
        """Return inputs in which the last one of the speech is repeated after its end.

        Args:
            inputs: ``[1, n, W]``.
            before: the input before them, ``[1, 1, W]``; itself repeated if the speech ended before.
            last: index of the last input of the speech, which may lie before or after these.
        """
        index = torch.minimum(torch.arange(self.frames, device=inputs.device), last.clamp(min=-1)) + 1
        return torch.cat([before, inputs], dim=1).index_select(1, index)

    def _after_beginning(self, inputs: Tensor, start: Tensor) -> Tensor:
        """Return inputs of frames from ``start`` on, with zeros before the speech."""
        index = start + torch.arange(self.frames, device=inputs.device)
        return torch.where((index >= 0)[:, None], inputs, inputs.new_zeros(()))
