"""Modules of the page that compute without a server, against the library: controls and conversion of rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.serving import Server
from headmotion.studio.faces import bundled_face, landmarks68
from headmotion.studio.onnx_page import edit_constants

APPLY = """async ([constants, frames, settings]) => {
  const { Edits } = await import("/edits.js");
  return Array.from(new Edits(constants).apply(Float32Array.from(frames), settings));
}"""
RESAMPLE = """async ([samples, from, to, size]) => {
  const { Resampler } = await import("/resampler.js");
  const resampler = new Resampler(from, to);
  const made = [];
  const piece = (k) => Float32Array.from(samples.slice(k, k + size));
  for (let k = 0; k < samples.length; k += size) made.push(...resampler.push(piece(k)));
  return made;
}"""


@pytest.fixture(scope="module")
def motion() -> hm.Motion:
    """A face that talks, nods, turns aside and comes nearer."""
    rest = torch.from_numpy(bundled_face().pose)
    generator = torch.Generator().manual_seed(0)
    moved = rest + 1.5 * torch.randn(12, 68, 2, generator=generator)
    moved[:, 27:48] = rest[27:48]  # a rigid skull, so that the fit is exact
    moved[:, [65, 66, 67, 57], 1] += torch.linspace(0, 14, 12)[:, None]
    still = hm.Motion(moved, 25, reference=rest)  # type: ignore[arg-type]
    turned = [hm.controls.look_at(still[k : k + 1], 3.0 * k - 15, k - 6.0).values for k in range(12)]
    scale = torch.linspace(0.95, 1.1, 12)[:, None, None]
    return hm.Motion(torch.cat(turned) * scale, 25, reference=rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"head": 0.4}, {"head": 1.7}, {"lips": 1.8}, {"lips": 0.2}, {"smooth": 130}])
def test_controls_of_the_browser_are_those_of_the_library(
    page: Any, studio: Server, motion: hm.Motion, settings: dict[str, float]
) -> None:
    page.goto(f"{studio.address}/complex.js")  # the modules without the page
    assert motion.reference is not None
    constants = edit_constants(motion.reference.tolist(), landmarks68())
    drawn = page.evaluate(APPLY, [constants, motion.values.flatten().tolist(), settings])
    expected = motion
    for control in hm.controls.from_options(**settings):  # type: ignore[arg-type]
        expected = control(expected)
    difference = np.abs(np.array(drawn).reshape(expected.values.shape) - expected.values.numpy())
    assert difference.max() < 0.01  # px
    assert (expected.values - motion.values).abs().max() > 1


@pytest.mark.parametrize("rates", [(48_000, 16_000), (44_100, 16_000), (16_000, 16_000), (8_000, 16_000)])
def test_rates_are_converted_in_pieces(page: Any, studio: Server, rates: tuple[int, int]) -> None:
    page.goto(f"{studio.address}/complex.js")
    seconds = np.arange(round(0.3 * rates[0])) / rates[0]
    wave = np.sin(2 * np.pi * 440 * seconds) * 0.5
    made = np.array(page.evaluate(RESAMPLE, [wave.tolist(), *rates, 1024]))
    assert abs(len(made) / rates[1] - 0.3) < 0.01
    expected = np.sin(2 * np.pi * 440 * np.arange(len(made)) / rates[1]) * 0.5
    assert np.abs(made - expected)[100:-100].max() < 0.01
