"""Goal of scaling: how time grows with the amount of work, as the exponent of a power law and as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from headmotion.audio_encoders.log_mel import LogMel
from headmotion.audio_encoders.specs import LogMelSpec
from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.generator import MSSyncGenerator
from headmotion.ms_sync.specs import MSSyncGeneratorSpec

from ..reproduction.plots import figure_file
from .timing import Measurement, median_seconds, threads

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "scaling.svg"
SIZES: dict[str, tuple[int, ...]] = {
    "batch": (1, 4, 16, 64, 256),
    "frames": (25, 100, 400, 1600),
    "audio (s)": (10, 40, 160, 640),
    "points": (17, 68, 272, 1088),
    "levels": (1, 2, 4, 8),
}
"""Sizes of each kind of work; the other kinds stay at 68 points, 4 levels and one clip of 50 frames, preset `small`."""


def cost_against_work() -> Measurement:
    """Measure the largest exponent of seconds over size, between the two largest sizes of each kind."""
    seconds = {kind: _seconds(kind) for kind in SIZES}
    exponents = {kind: exponent(SIZES[kind], times) for kind, times in seconds.items()}
    _draw(seconds)
    note = ", ".join(f"{kind} {value:.2f}" for kind, value in exponents.items())
    return Measurement(max(exponents.values()), "exponent", f"{note}; `docs/images/scaling.svg`")


def exponent(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """Return ``p`` of ``seconds ~ size ** p`` between the two largest sizes, where fixed costs matter least."""
    return float(np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))


def _seconds(kind: str) -> list[float]:
    cases = {str(size): _case(kind, size) for size in SIZES[kind]}
    with threads(1), torch.inference_mode():
        medians = median_seconds(cases, 3)
    return [medians[str(size)] for size in SIZES[kind]]


def _case(kind: str, size: int) -> Callable[[], object]:
    if kind == "audio (s)":
        encoder, wave = LogMel(LogMelSpec()), torch.randn(1, 16_000 * size)
        return lambda: encoder(wave)
    sizes: dict[str, int] = {"batch": 1, "frames": 50, "points": 68, "levels": 4} | {kind: size}
    generator = _generator(sizes["points"], sizes["levels"])
    reference = torch.rand(sizes["batch"], 3, sizes["points"], 2)
    audio = torch.randn(sizes["batch"], 4 * sizes["frames"], 26)
    return lambda: generator(reference, audio)


def _generator(points: int, levels: int) -> MSSyncGenerator:
    torch.manual_seed(0)
    changes: dict[str, Any] = {"preset": "small", "levels": levels, "level_lookahead": None}
    representation: Any = SimpleNamespace(points=points, dims=2)
    return MSSyncGeneratorSpec.model_validate(changes).build(BuildContext(representation, 26)).eval()


def _draw(seconds: dict[str, list[float]]) -> None:
    with figure_file(PICTURE, 1, len(SIZES), (11, 2.6)) as axes:
        for axis, (kind, times) in zip(axes[0], seconds.items(), strict=True):
            sizes = np.array(SIZES[kind])
            axis.loglog(sizes, times, marker="o", color="#0b6e99", label="measured")
            axis.loglog(sizes, times[0] * sizes / sizes[0], color="#555555", linestyle=":", label="linear")
            axis.set(xlabel=kind, ylabel="seconds" if kind == "batch" else "")
        axes[0, 0].legend(frameon=False)
