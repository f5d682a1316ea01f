"""Parts with weights: a renderer's belong to the pipeline, and a file of weights is needed only until it is saved."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.plugins import registry

PLUGIN = '''
from typing import Literal

import headmotion as hm


class TintSpec(hm.RendererSpec):
    """Pictures of one color, which is learned."""

    type: Literal["paint/tint"] = "paint/tint"
    size: int = 8
    """Edge of the pictures in pixels."""

    def build(self, context):
        from paint_parts import Tint

        return Tint(self)


class CanvasSpec(hm.RendererSpec):
    """One picture, which is learned."""

    type: Literal["paint/canvas"] = "paint/canvas"
    size: int = 8
    """Edge of the picture in pixels."""

    def build(self, context):
        from paint_parts import Canvas

        return Canvas(self)


class ScaledSpec(hm.AudioEncoderSpec):
    """Log-mel features, scaled by a number from a file."""

    type: Literal["paint/scaled"] = "paint/scaled"
    weights: str
    """File with the scale."""

    def build(self, context):
        from paint_parts import Scaled

        return Scaled(self, context)


@hm.hookimpl
def headmotion_specs():
    return [TintSpec, CanvasSpec, ScaledSpec]
'''

PARTS = """
import numpy as np
import torch

import headmotion as hm


class Tint(hm.Renderer):
    needs_image = False

    def __init__(self, spec):
        super().__init__(spec)
        self.color = torch.nn.Parameter(torch.rand(3))
        self.running = torch.nn.BatchNorm1d(3)

    def frames(self, motion, image=None, landmarks=None):
        color = (255 * self.color.detach().cpu().numpy()).round().astype(np.uint8)
        for part in motion:
            for _ in range(len(part)):
                yield np.broadcast_to(color, (self.spec.size, self.spec.size, 3)).copy()


class Canvas(hm.Renderer):
    needs_image = False

    def __init__(self, spec):
        super().__init__(spec)
        self.picture = torch.nn.Parameter(torch.rand(3, spec.size, spec.size))
        self.training_picture_size = (spec.size, spec.size)

    def pictures(self, identity, pose, motion, audio=None):
        return self.picture.expand(*motion.shape[:2], -1, -1, -1)

    def frames(self, motion, image=None, landmarks=None):
        picture = (255 * self.picture.detach().cpu().numpy()).round().astype(np.uint8).transpose(1, 2, 0)
        for part in motion:
            yield from [picture] * len(part)


class Scaled(hm.AudioEncoder):
    def __init__(self, spec, context):
        super().__init__(spec)
        self.inner = hm.resolve_spec("audio_encoder", "log-mel").build(context)
        self.sample_rate, self.hop, self.channels = self.inner.sample_rate, self.inner.hop, self.inner.channels
        self.look_back, self.look_ahead = self.inner.look_back, self.inner.look_ahead
        scale = torch.ones(1) if context.restoring else torch.from_numpy(np.load(spec.weights))
        self.register_buffer("scale", scale)

    def forward(self, wave, steps=None):
        return self.scale * self.inner(wave, steps)

    def init_state(self, batch):
        return self.inner.init_state(batch)

    def step(self, wave, state):
        features, state = self.inner.step(wave, state)
        return self.scale * features, state
"""

SPEECH = (np.sin(np.arange(16_000) / 20).astype(np.float32), 16_000)


@pytest.fixture
def plugin(fake_plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fake_plugins.install("headmotion-paint", PLUGIN, name="paint")
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "paint_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(modules)
    monkeypatch.delitem(sys.modules, "paint_parts", raising=False)
    registry.cache_clear()
    yield
    registry.cache_clear()


def colors(folder: Path) -> np.ndarray:
    import cv2

    return np.stack([cv2.imread(str(path)) for path in sorted(folder.iterdir())])


def test_a_renderers_weights_are_built_once_saved_and_loaded(plugin: None, tmp_path: Path) -> None:
    pipe = hm.build({"renderer": "paint/tint"}, seed=3, device="cpu")
    assert torch.equal(pipe.renderer.color, hm.build({"renderer": "paint/tint"}, seed=3, device="cpu").renderer.color)
    # The renderer is drawn last: the generator is the one that it is without it.
    other = hm.build({}, seed=3, device="cpu")
    assert all(
        torch.equal(a, b) for a, b in zip(pipe.generator.parameters(), other.generator.parameters(), strict=True)
    )

    assert not pipe.renderer.training and "renderer.color" in pipe.state_dict()
    loaded = hm.load(pipe.save(tmp_path / "painted.safetensors"), device="cpu")
    assert torch.equal(loaded.renderer.color, pipe.renderer.color)
    motion = loaded.generate(SPEECH)
    loaded.render(motion, tmp_path / "own", quiet=True)
    loaded.render(motion, tmp_path / "larger", renderer={"type": "paint/tint", "size": 12}, quiet=True)
    own, larger = colors(tmp_path / "own"), colors(tmp_path / "larger")
    assert (own[0, 0, 0] == larger[0, 0, 0]).all() and own.shape[1] == 8 and larger.shape[1] == 12


def test_loading_leaves_the_programs_random_state_as_it_is(plugin: None, tmp_path: Path) -> None:
    path = hm.build({"renderer": "paint/tint"}, device="cpu").save(tmp_path / "painted.safetensors")
    before = torch.get_rng_state()
    hm.load(path, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_random_weights_are_never_drawn_with(plugin: None, tmp_path: Path) -> None:
    pipe = hm.build({}, device="cpu")
    with pytest.raises(hm.SpecError, match="paint/tint: expected weights that the pipeline has"):
        pipe.render(pipe.generate(SPEECH), tmp_path / "never", renderer="paint/tint")
    assert not (tmp_path / "never").exists()
    # Buffers that follow from the spec are no weights.
    smaller = pipe.with_renderer({"type": "skeleton", "size": 64})
    assert smaller.spec != pipe.renderer.spec and not list(smaller.parameters())
    assert pipe.with_renderer(pipe.renderer.spec) is pipe.renderer


def test_settings_that_trained_weights_do_not_fit_are_one_line(plugin: None, tmp_path: Path) -> None:
    pipe = hm.build({"renderer": "paint/canvas"}, device="cpu")
    motion = pipe.generate(SPEECH)
    draws = "it draws 8 x 8 pixels of what its training pictures show, such as the square around a face"
    for options in ({"size": 12}, {"renderer": {"type": "paint/canvas", "size": 12}}):
        with pytest.raises(hm.SpecError) as refused:
            pipe.render(motion, tmp_path / "never", **options)
        expected = f"renderer paint/canvas: expected size 8, as it was trained: {draws}, got size 12; leave out size"
        assert str(refused.value) == f"{expected}, or load a model that was trained so"
    # No value that the spec allows would fit either, so what the spec allows is not said first.
    with pytest.raises(hm.SpecError, match=r"expected size 8, as it was trained: .*, got 1073741824; leave out size$"):
        pipe.render(motion, tmp_path / "never", size=1 << 30)
    with pytest.raises(hm.SpecError) as refused:
        pipe.render(motion, tmp_path / "never", crop="head")
    expected = f"renderer paint/canvas: expected no crop, which it cannot be given: {draws}, got 'head'"
    assert str(refused.value) == f"{expected}; leave out crop"
    with pytest.raises(hm.SpecError, match=r"skeleton: expected no crop, which it cannot be given, got 'none'; leave"):
        pipe.render(motion, tmp_path / "never", renderer="skeleton", crop="none")
    assert not (tmp_path / "never").exists()
    pipe.render(motion, tmp_path / "own", size=8, quiet=True)
    assert colors(tmp_path / "own").shape[1] == 8


def test_animate_draws_with_the_models_own_renderer(plugin: None, tmp_path: Path) -> None:
    model = hm.build({"renderer": "paint/tint"}, seed=1, device="cpu").save(tmp_path / "painted.safetensors")
    speech = Path(hm.__file__).parent / "assets" / "speech.flac"

    def animate(name: str, *more: str) -> int:
        command = ["animate", str(speech), "--model", str(model), "-o", str(tmp_path / name), "--fps", "2", "-q", *more]
        return CliRunner().invoke(cli, command).exit_code

    assert animate("own") == 0
    assert animate("sized", "--renderer", json.dumps({"type": "paint/tint", "size": 10})) == 0
    assert animate("lines", "--renderer", '{"type": "skeleton", "size": 32}') == 0
    assert colors(tmp_path / "own").shape[1:3] == (8, 8) and colors(tmp_path / "sized").shape[1:3] == (10, 10)
    assert colors(tmp_path / "lines").shape[1:3] == (32, 32)
    assert animate("broken", "--renderer", '{"type": ') == 2 and not (tmp_path / "broken").exists()


def test_a_file_of_weights_is_not_needed_once_a_checkpoint_has_them(plugin: None, tmp_path: Path) -> None:
    np.save(tmp_path / "scale.npy", np.float32([0.5]))
    spec = {"audio_encoder": {"type": "paint/scaled", "weights": str(tmp_path / "scale.npy")}}
    pipe = hm.build(spec, device="cpu")
    motion = pipe.generate(SPEECH)
    path = pipe.save(tmp_path / "scaled.safetensors")
    (tmp_path / "scale.npy").unlink()
    with pytest.raises(hm.PluginError, match=r"audio encoder paint/scaled: .*scale\.npy"):
        hm.build(spec, device="cpu")
    loaded = hm.load(path, device="cpu")
    assert torch.equal(loaded.generate(SPEECH).values, motion.values)
    assert not loaded.context().restoring
