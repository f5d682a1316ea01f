"""How much and how fast a person moves the head and opens the mouth, from a clip, as settings of `causal-flow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import MotionError
from ..core.motion import Motion
from ..core.noise import normal
from ..metrics.signals import low_pass

if TYPE_CHECKING:
    from .generator import CausalFlowGenerator

NAME = "style of causal-flow"
WINDOW_S = 2.4
"""Seconds over which the spread is measured: those of the clips that the head's amount is divided by in training."""
LOWPASS_HZ = 5.0
"""Faster motion of detected landmarks is the detector's tremble."""
LEAST_SPREAD = 1e-5
"""Sides of the unit frame: a head that moves less is still but for rounding."""
LEAST_OPENINGS, MOST_OPENINGS = 0.4, 2.0
"""Movement of openings below which a person is taken to be silent, and above which a clip does not raise the gain."""
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Factors of the correlation lengths that are tried; between them spread and speed are interpolated."""
AMOUNT, FEATURES = 0.01, 20
"""Amount of the head's motion in samples, and the stream of random numbers of their features."""
SAMPLED_FRAMES = 1000
"""Frames that are generated for each of them, from noise in place of features, as changeable as speech."""


def style_settings(generator: CausalFlowGenerator, clip: Motion) -> dict[str, Any]:
    """Return the settings with which heads move as much and as fast as in a clip, and mouths open as far.

    The amount is the root mean square of the head's turns around their mean in windows of 2.4 s, the speed that of
    their change per frame. The correlation lengths of the noise are changed by the factor with which the generator's
    own heads have the clip's ratio of the two, and the head's amount by what is then missing. The gain of regressed
    motion is multiplied by how far openings move in the clip, in standard deviations of the training data.

    Args:
        generator: whose settings are changed.
        clip: a motion of its representation, of one person. A mouth that hardly moves says nothing about the gain.

    Raises:
        MotionError: another representation, no head in it, too short a clip, or a head that does not move at all.
    """
    representation, fps = generator.context.representation, generator.context.fps
    if clip.build_representation().spec != representation.spec:
        expected = f"a motion of {representation.name}"
        raise MotionError(NAME, expected, f"one of {clip.representation.get('type')}", "convert it by motion.to(...)")
    if not generator.coordinates.frame.size:
        raise MotionError(NAME, "a representation with a head", representation.name)
    window, clip = round(WINDOW_S * fps), clip.resample(fps)
    if len(clip) < window:
        raise MotionError(NAME, f"a clip of at least {WINDOW_S:g} s", f"{float(clip.duration):.2g} s")
    values = representation.normalize(clip.values, clip.frame or representation.frame_of(clip.values))
    spread, speed = _spread_and_speed(generator, values, window)
    if spread < LEAST_SPREAD:
        raise MotionError(NAME, "a head that moves", "one that is still")
    factor, own_spread = _fitting_factor(generator, speed / spread, window)
    lengths = tuple(min(10.0, factor * seconds) for seconds in generator.settings.noise_seconds)
    fields = {"head_amount": min(1.0, spread / own_spread), "noise_seconds": lengths}
    if (openings := _openings(generator, values)) > LEAST_OPENINGS:
        fields["regressed_gain"] = min(4.0, generator.settings.regressed_gain * min(openings, MOST_OPENINGS))
    return fields


def _openings(generator: CausalFlowGenerator, motion: Tensor) -> float:
    """Return how far openings between regressed points move, in standard deviations of the training data."""
    coordinates, values = generator.coordinates, motion.to(generator.onset.weight.device)[None]
    if not coordinates.upper:
        return 0.0
    # Standardized as in training, but without an update of the statistics.
    scale = coordinates.scale.running_var
    assert scale is not None
    _, local = coordinates.frame.split(values - values[:, :1], coordinates.frame.basis(values[:, 0]))
    regressed = (local / scale[coordinates.frame.size :].sqrt())[0, :, coordinates.regressed]
    gaps = regressed[:, coordinates.upper] - regressed[:, coordinates.lower]
    return float(gaps.var(0, correction=0).mean().sqrt())


def _spread_and_speed(generator: CausalFlowGenerator, motion: Tensor, window: int) -> tuple[float, float]:
    """Return root mean squares of a head around its mean in windows, and of its change per frame.

    Shifts do not count: a crop that follows the head hides them.

    Args:
        generator: gives the head's coordinates.
        motion: ``[T, P, D]`` in the unit frame.
        window: frames of a window.
    """
    frame, values = generator.coordinates.frame, motion.to(generator.onset.weight.device)[None]
    coordinates, _ = frame.split(values - values[:, :1], frame.basis(values[:, 0]))
    curves = low_pass(
        coordinates[0, :, : -frame.dims].double().cpu().numpy(), LOWPASS_HZ, float(generator.context.fps), NAME
    )
    starts = range(0, len(curves) - window + 1, max(1, window // 4))
    windows = np.stack([curves[start : start + window] for start in starts])
    spread = np.square(windows - windows.mean(1, keepdims=True)).mean()
    return float(np.sqrt(spread)), float(np.sqrt(np.square(np.diff(windows, axis=1)).mean()))


def _fitting_factor(generator: CausalFlowGenerator, ratio: float, window: int) -> tuple[float, float]:
    """Return the factor of the correlation lengths for a ratio of speed to spread, and the spread per amount then."""
    spreads, ratios = [], []
    for factor in FACTORS:
        spread, speed = _spread_and_speed(generator, _sampled(generator, factor), window)
        spreads.append(spread / AMOUNT)
        ratios.append(speed / spread)
    # The ratio falls as the lengths grow; `interp` needs it in rising order.
    factors = np.interp(np.log(ratio), np.log(ratios[::-1]), np.log(FACTORS[::-1]))
    spread = np.interp(factors, np.log(FACTORS), np.log(spreads))
    return float(np.exp(factors)), float(np.exp(spread))


def _sampled(generator: CausalFlowGenerator, factor: float) -> Tensor:
    """Return motion ``[T, P, D]`` of the neutral pose with the amount `AMOUNT` and longer correlation lengths."""
    lengths = tuple(min(10.0, factor * seconds) for seconds in generator.settings.noise_seconds)
    probe = generator.with_settings(head_amount=AMOUNT, noise_seconds=lengths).eval()
    scale, device = probe.audio_scale, probe.onset.weight.device
    assert scale.running_mean is not None and scale.running_var is not None
    steps = range(SAMPLED_FRAMES * probe.steps_per_frame)
    noise = normal((0,), steps, scale.running_mean.shape, FEATURES, device)
    features = noise * scale.running_var.sqrt() + scale.running_mean
    pose = generator.context.representation.neutral().to(device)
    with torch.no_grad():
        motion: Tensor = probe(pose[None, None], features)
    return motion[0]
