"""A small trained renderer, written as a plugin author would: a U-Net bends and repaints the identity picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import headmotion as hm

if TYPE_CHECKING:
    from warp_specs import WarpSpec


class Warp(hm.Renderer):
    """A U-Net corrects a warp by the nearest landmarks, and paints what a warp cannot show, such as an open mouth."""

    needs_image = True
    training_picture_size = (64, 64)

    def __init__(self, spec: WarpSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.representation, width = context.representation, spec.width
        self.outer = nn.Sequential(nn.Conv2d(8, width, 3, padding=1), nn.ReLU())
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 6, 3, padding=1)
        )

    def pictures(self, identity: Tensor, pose: Tensor, motion: Tensor, audio: Tensor | None = None) -> Tensor:
        batch, frames = motion.shape[:2]
        still = identity[:, None].expand(-1, frames, -1, -1, -1).flatten(0, 1)
        target = self.representation.to_points2d(motion).flatten(0, 1)
        source = self.representation.to_points2d(pose)[:, None].expand(-1, frames, -1, -1).flatten(0, 1)
        positions = grid(32).to(target)
        distance = torch.cdist(positions.flatten(0, 1).expand(len(target), -1, -1), target)
        moved = (torch.softmax(-((distance / 0.04) ** 2), dim=-1) @ (source - target)).unflatten(1, (32, 32))
        near = torch.exp(-((distance.amin(-1) / 0.03) ** 2)).unflatten(1, (1, 32, 32))
        shown = bend(functional.avg_pool2d(still, 2), positions + moved)
        where = positions.permute(2, 0, 1).expand(len(target), -1, -1, -1)
        outer = self.outer(torch.cat([10 * moved.permute(0, 3, 1, 2), near, shown, where], dim=1))
        layout = self.decoder(torch.cat([outer, self.inner(outer)], dim=1))
        flow, mask, colors = layout.split((2, 1, 3), dim=1)
        fields = torch.cat([moved.permute(0, 3, 1, 2) + 0.05 * flow, mask - 2, colors], dim=1)
        fields = functional.interpolate(fields, size=(64, 64), mode="bilinear")
        flow, mask, colors = fields.split((2, 1, 3), dim=1)
        bent = bend(still, grid(64).to(flow) + flow.permute(0, 2, 3, 1))
        covered = torch.sigmoid(mask)
        return ((1 - covered) * bent + covered * torch.sigmoid(colors)).unflatten(0, (batch, frames))

    @torch.no_grad()
    def frames(
        self,
        motion: Iterable[hm.Motion],
        image: Any = None,
        landmarks: Any = None,
        audio: Iterable[Tensor] | None = None,
    ) -> Iterator[Any]:
        """Yield one picture per frame."""
        stream = hm.PictureStream(self, self.representation, motion, image, landmarks)
        for window in stream.windows():
            yield from stream.to_frames(self.pictures(stream.identity, stream.pose, window.motion))


def grid(edge: int) -> Tensor:
    """Return the picture coordinates of the pixels of a square picture, ``[edge, edge, 2]``."""
    steps = torch.arange(edge) / edge
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)


def bend(pictures: Tensor, places: Tensor) -> Tensor:
    """Return pictures ``[N, 3, H, W]`` as seen at places ``[N, H, W, 2]`` in picture coordinates."""
    # In grid_sample -1 and 1 are the outer edges of a picture, and pixel 0 lies half a pixel inside.
    edge = pictures.shape[-1]
    return functional.grid_sample(pictures, 2 * places + 1 / edge - 1, padding_mode="border", align_corners=False)
