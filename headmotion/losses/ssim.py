"""Structural similarity of pictures, differentiable, for the loss `pixels` and the metric `ssim`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 11
"""Edge of the Gaussian window in pixels, as in the source."""
SIGMA = 1.5
"""Standard deviation of the window in pixels."""
STABILITY = (0.01**2, 0.03**2)
"""The source's constants for values of 0..1."""


def ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """Return the similarity around each pixel whose window lies inside the picture, averaged over the colors.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, with its Gaussian window.

    Args:
        first: pictures ``[..., 3, H, W]``, 0..1, of at least `WINDOW` pixels each way.
        second: likewise.

    Returns:
        ``[..., H - 10, W - 10]``, 1 where both are equal.
    """
    leading = first.shape[:-3]
    # Planes of one channel, so that one small kernel serves all colors.
    x, y = (pictures.flatten(0, -3).unsqueeze(1) for pictures in (first, second))
    means = _blur(torch.cat([x, y, x * x, y * y, x * y]))
    mean_x, mean_y, square_x, square_y, product = means.chunk(5)
    variances = square_x - mean_x**2 + square_y - mean_y**2
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + STABILITY[0]) / (mean_x**2 + mean_y**2 + STABILITY[0])
    structure = (2 * covariance + STABILITY[1]) / (variances + STABILITY[1])
    similarity = luminance * structure
    return similarity.reshape(*leading, -1, *similarity.shape[-2:]).mean(-3)


def crop_to_map(values: Tensor) -> Tensor:
    """Return the pixels ``[..., H - 10, W - 10]`` of a picture ``[..., H, W]`` that `ssim_map` has."""
    border = WINDOW // 2
    return values[..., border:-border, border:-border]


def _blur(planes: Tensor) -> Tensor:
    """Return planes ``[N, 1, H, W]`` blurred within their borders."""
    offsets = torch.arange(WINDOW, dtype=planes.dtype, device=planes.device) - WINDOW // 2
    kernel = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    # A Gaussian is a product of one along each axis. Planes are channels here, with a kernel each: this takes a CPU a
    # twentieth of the time of a batch of single planes.
    count, channels = len(planes), planes.transpose(0, 1)
    down, across = (kernel.view(shape).expand(count, *shape[1:]) for shape in ((1, 1, -1, 1), (1, 1, 1, -1)))
    return functional.conv2d(functional.conv2d(channels, down, groups=count), across, groups=count).transpose(0, 1)
