"""The face finder: BlazeFace, short range (Bazarevsky, Kartynnik, Vakunov, Raveendran, Grundmann 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT_EDGE = 128
"""Edge of the network's input in pixels; colors are in -1..1."""
KEYPOINTS = 6
"""Points of a detection: right eye, left eye, nose, mouth, right ear, left ear."""

_CHANNELS = (24, 24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88, 96, 96, 96, 96, 96)
"""Of the stem and of the sixteen blocks after it."""
_HALVING = (2, 5, 11)
"""The blocks that halve the picture; the last one begins the coarse part."""
_ANCHORS_PER_CELL = (2, 6)
"""Of the fine grid (16 x 16) and of the coarse one (8 x 8)."""


class BlazeFace(nn.Module):
    """Faces of at least about a seventh of a picture: 896 guesses, each a score, a box and six points.

    Published as one path of blocks without branches. Names of parameters are those in the weights file.
    """

    anchors: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _CHANNELS[0], 5, stride=2)
        self.blocks = nn.ModuleList(
            _Block(_CHANNELS[k], _CHANNELS[k + 1], 2 if k in _HALVING else 1) for k in range(len(_CHANNELS) - 1)
        )
        fine, coarse = _CHANNELS[_HALVING[-1]], _CHANNELS[-1]
        self.fine_scores = nn.Conv2d(fine, _ANCHORS_PER_CELL[0], 1)
        self.coarse_scores = nn.Conv2d(coarse, _ANCHORS_PER_CELL[1], 1)
        self.fine_boxes = nn.Conv2d(fine, _ANCHORS_PER_CELL[0] * (4 + 2 * KEYPOINTS), 1)
        self.coarse_boxes = nn.Conv2d(coarse, _ANCHORS_PER_CELL[1] * (4 + 2 * KEYPOINTS), 1)
        self.register_buffer("anchors", _anchors(), persistent=False)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``[B, 896]`` and raw boxes ``[B, 896, 16]`` for pictures ``[B, 3, 128, 128]`` in -1..1."""
        # The network was trained with TensorFlow's padding, which at stride 2 is larger on the right and below.
        features = functional.relu_(self.stem(functional.pad(pictures, (1, 2, 1, 2))))
        for block in self.blocks[: _HALVING[-1]]:
            features = block(features)
        fine = features
        for block in self.blocks[_HALVING[-1] :]:
            features = block(features)
        scores = [_per_anchor(head, 1) for head in (self.fine_scores(fine), self.coarse_scores(features))]
        boxes = [_per_anchor(head, 16) for head in (self.fine_boxes(fine), self.coarse_boxes(features))]
        return torch.cat(scores, dim=1)[..., 0], torch.cat(boxes, dim=1)

    def decode(self, raw: Tensor) -> Tensor:
        """Return points ``[..., 896, 8, 2]`` as parts of the input's edge: two corners of the box, six keypoints."""
        values = raw.reshape(*raw.shape[:-1], 2 + KEYPOINTS, 2) / INPUT_EDGE
        anchors = self.anchors.unsqueeze(-2)
        center, size = values[..., :1, :] + anchors, values[..., 1:2, :]
        return torch.cat([center - size / 2, center + size / 2, values[..., 2:, :] + anchors], dim=-2)


class _Block(nn.Module):
    """A depth-wise and a point-wise convolution with a shortcut, to which missing channels are added as zeros."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, out - channels
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, padding=2 - stride, groups=channels)
        self.pointwise = nn.Conv2d(channels, out, 1)

    def forward(self, features: Tensor) -> Tensor:
        shortcut = features
        if self.stride == 2:
            shortcut = functional.max_pool2d(features, 2)
            features = functional.pad(features, (0, 1, 0, 1))
        residual = self.pointwise(self.depthwise(features))
        if self.added:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        return functional.relu_(residual.add_(shortcut))


def weighted_suppression(scores: Tensor, points: Tensor, overlap: float = 0.3) -> tuple[Tensor, Tensor]:
    """Return scores ``[N]`` and points ``[N, 8, 2]``, the best first, with guesses of the same face averaged.

    BlazeFace averages guesses by their scores where others keep the best, so that boxes in videos do not jitter.

    Args:
        scores: of the guesses ``[M]``, 0..1.
        points: ``[M, 8, 2]``, of which the first two are a box's corners.
        overlap: intersection over union from which a guess is of the same face as the best one.
    """
    order = scores.argsort(descending=True)
    scores, points = scores[order], points[order]
    kept_scores, kept_points = [], []
    while len(scores):
        same = _overlaps(points[0, :2], points[:, :2]) > overlap
        same[0] = True
        weights = scores[same] / scores[same].sum()
        kept_scores.append(scores[0])
        kept_points.append((points[same] * weights[:, None, None]).sum(dim=0))
        scores, points = scores[~same], points[~same]
    if not kept_scores:
        return scores, points
    return torch.stack(kept_scores), torch.stack(kept_points)


def _overlaps(box: Tensor, boxes: Tensor) -> Tensor:
    """Return the intersection over union ``[M]`` of a box ``[2, 2]`` with boxes ``[M, 2, 2]``."""
    edges = torch.minimum(box[1], boxes[:, 1]) - torch.maximum(box[0], boxes[:, 0])
    shared = edges.clamp(min=0).prod(dim=-1)
    areas = (boxes[:, 1] - boxes[:, 0]).prod(dim=-1) + (box[1] - box[0]).prod()
    return shared / (areas - shared).clamp(min=1e-12)


def _anchors() -> Tensor:
    """Return the centers ``[896, 2]`` of the cells of both grids, as parts of the input's edge."""
    grids = []
    for cells, per_cell in zip((16, 8), _ANCHORS_PER_CELL, strict=True):
        centers = (torch.arange(cells) + 0.5) / cells
        rows, columns = torch.meshgrid(centers, centers, indexing="ij")
        grids.append(torch.stack([columns, rows], dim=-1).reshape(-1, 2).repeat_interleave(per_cell, dim=0))
    return torch.cat(grids)


def _per_anchor(head: Tensor, numbers: int) -> Tensor:
    """Return a head's output ``[B, anchors * numbers, H, W]`` as ``[B, H * W * anchors, numbers]``."""
    return head.permute(0, 2, 3, 1).reshape(head.shape[0], -1, numbers)
