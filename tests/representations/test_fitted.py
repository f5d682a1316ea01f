"""A fitted representation without points in the picture, from a plugin that uses public names only."""

import sys
import types
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.testing import check_component
from headmotion.training.batches import Batches
from headmotion.training.recipe import RecipeSpec
from headmotion.training.trainer import train

PLUGIN = """
from collections.abc import Iterable
from typing import Literal

import headmotion as hm


class SixSpec(hm.RepresentationSpec):
    '''Six coefficients of a PCA of the 68 landmarks in the unit frame.'''

    type: Literal["pca/six"] = "pca/six"

    def build(self, context=None):
        from pca_parts import Six

        return Six(self)


def encode(motion, target):
    from pca_parts import encode

    return encode(motion, target)


def decode(motion, target):
    from pca_parts import decode

    return decode(motion)


@hm.hookimpl
def headmotion_specs():
    return [SixSpec]


@hm.hookimpl
def headmotion_converters():
    return [
        hm.Converter("landmarks68", "pca/six", encode, "all but six coefficients"),
        hm.Converter("pca/six", "landmarks68", decode),
    ]
"""

PARTS = """
from dataclasses import replace

import torch

import headmotion as hm
from headmotion.core.interfaces.representation import unfitted


class Six(hm.Representation):
    name, points, dims = "pca/six", 6, 1
    point_names = tuple(f"coefficient_{k}" for k in range(6))
    groups, mirror = {}, tuple(range(6))
    fit_source = "landmarks68"

    def __init__(self, spec):
        super().__init__(spec)
        self.register_buffer("mean", torch.zeros(136))
        self.register_buffer("components", torch.zeros(6, 136))

    @property
    def fitted(self):
        return bool(self.components.any())

    def fit(self, motions):
        count, total, products = 0, torch.zeros(136, dtype=torch.float64), torch.zeros(136, 136, dtype=torch.float64)
        for motion in motions:
            rows = motion.flatten(1).double()
            count, total, products = count + len(rows), total + rows.sum(0), products + rows.T @ rows
        mean = total / count
        _, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
        self.mean.copy_(mean)
        self.components.copy_(vectors[:, -6:].T)

    def neutral(self):
        return torch.zeros(6, 1)

    def frame_of(self, values):
        if not values.isfinite().all():
            raise hm.MotionError(self.name, "finite numbers", "NaN or infinity")
        return hm.UnitSquare(0.5, 0.5, 1.0)

    def normalize(self, values, frame):
        if not frame.side > 0 or values.shape[-2] != 6:
            raise hm.MotionError(self.name, "poses [..., 6, 1] and a frame with a side", str(frame))
        return values

    denormalize = normalize

    def flip(self, values):
        return values.clone()


def encode(motion, target):
    if not target.fitted:
        raise unfitted(target)
    source = motion.build_representation()
    unit = motion.values if motion.units == "unit" else source.normalize(motion.values, motion.frame)
    codes = ((unit.flatten(-2) - target.mean) @ target.components.T).unsqueeze(-1)
    return replace(motion, values=codes, reference=None, representation={"type": "pca/six"})


def decode(motion):
    six = motion.build_representation()
    if not six.fitted:
        raise unfitted(six)
    unit = (motion.values[..., 0] @ six.components + six.mean).unflatten(-1, (68, 2))
    return replace(motion, values=unit, units="unit", reference=None, representation={"type": "landmarks68"})
"""

FACE = hm.resolve_spec("representation", "landmarks68").build()
SPEECH = (np.sin(np.arange(16_000) / 20).astype(np.float32), 16_000)
SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(autouse=True)
def plugin(fake_plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fake_plugins.install("headmotion-pca", PLUGIN, name="pca")
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "pca_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(modules)
    monkeypatch.delitem(sys.modules, "pca_parts", raising=False)
    registry.cache_clear()
    yield
    registry.cache_clear()


def talking(seed: int, frames: int = 30) -> torch.Tensor:
    """Motions that lie in six dimensions: the resting pose plus six fixed deformations."""
    rng = torch.Generator().manual_seed(7)
    shapes = torch.randn(6, 68, 2, generator=rng)
    weights = 0.02 * torch.randn(frames, 6, generator=torch.Generator().manual_seed(seed))
    return FACE.neutral() + torch.einsum("tk,kpd->tpd", weights, shapes)


def fitted() -> hm.Representation:
    part = hm.resolve_spec("representation", "pca/six").build()
    assert isinstance(part, hm.SupportsFitting) and not part.fitted
    part.fit(talking(seed) for seed in range(8))
    return part


def recorded() -> hm.Motion:
    return hm.Motion(talking(9), Fraction(25), {"type": "landmarks68"}, hm.UnitSquare(0.5, 0.5, 1), units="unit")


def test_it_conforms() -> None:
    check_component(hm.resolve_spec("representation", "pca/six"))


@pytest.mark.parametrize(
    ("correct", "fault", "found"),
    [
        ("return bool(self.components.any())", "return True", "it is fitted before `fit`"),
        (
            '"components", torch.zeros(6, 136))',
            '"components", torch.zeros(6, 136), persistent=False)',
            "not fitted after",
        ),
        ("raise unfitted(target)", "pass", "converted to it before it is fitted"),
    ],
)
def test_the_kit_finds_faults(monkeypatch: pytest.MonkeyPatch, correct: str, fault: str, found: str) -> None:
    module = types.ModuleType("pca_parts")
    exec(PARTS.replace(correct, fault, 1), module.__dict__)
    monkeypatch.setitem(sys.modules, "pca_parts", module)
    with pytest.raises(AssertionError, match=f"representation-fits-and-travels: failed.*{found}"):
        check_component(hm.resolve_spec("representation", "pca/six"))


def test_converts_to_and_from_landmarks() -> None:
    motion, part = recorded(), fitted()
    coded = motion.to(part)
    assert coded.values.shape == (30, 6, 1) and coded.basis.keys() == {"mean", "components"}
    back = coded.to("landmarks68")
    torch.testing.assert_close(back.values, motion.values, atol=1e-4, rtol=0)
    assert not back.basis and [step["to"] for step in back.provenance["converted"]] == ["pca/six", "landmarks68"]
    assert coded.to(part) is coded
    other = hm.resolve_spec("representation", "pca/six").build()
    other.fit(talking(seed) + 0.1 for seed in range(20, 28))
    with pytest.raises(hm.MotionError, match="another basis"):
        coded.to(other)


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_a_motion_file_is_understood_by_itself(tmp_path: Path, suffix: str) -> None:
    motion = recorded()
    path = motion.to(fitted()).save(tmp_path / f"coded.{suffix}")
    loaded = hm.Motion.load(path)
    torch.testing.assert_close(loaded.to("landmarks68").values, motion.values, atol=1e-4, rtol=0)
    # Files of other representations are what they were.
    plain = hm.Motion.load(motion.save(tmp_path / f"plain.{suffix}"))
    assert plain.basis == {} and "basis" not in plain.meta()


def test_unfitted_use_is_one_error() -> None:
    with pytest.raises(hm.MotionError, match=r"representation pca/six: expected a fitted basis, got none yet; fit it"):
        recorded().to("pca/six")
    pipe = hm.build({"representation": "pca/six", "generator": SMALL}, device="cpu")
    with pytest.raises(hm.MotionError, match="expected a fitted basis"):
        pipe.generate(SPEECH)


def test_the_basis_belongs_to_the_pipeline_and_its_checkpoint(tmp_path: Path) -> None:
    pipe = hm.build({"representation": "pca/six", "generator": SMALL}, device="cpu")
    pipe.representation.load_state_dict(fitted().state_dict())
    motion = pipe.generate(SPEECH)
    loaded = hm.load(pipe.save(tmp_path / "six.safetensors"), device="cpu")
    repeated = loaded.generate(SPEECH)
    assert torch.equal(repeated.values, motion.values) and repeated.to(loaded.representation) is repeated
    assert repeated.to("landmarks68").values.shape == (25, 68, 2)


def test_a_recipe_fits_the_basis_and_trains_on_it(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "corpus", clips=4, seconds=2.2, clips_per_speaker=2)
    generator = {"type": "supervised", "steps": 3, "frames": 20}
    recipe = RecipeSpec.model_validate(
        {
            "name": "six",
            "pipeline": {"representation": "pca/six", "generator": SMALL},
            "data": {"batch_size": 4, "time_stretch": 0.1},
            "phases": {"basis": {"type": "fit"}, "generator": generator},
            "preview_every": 0,
        }
    )
    pipe = hm.load(train(recipe, [corpus], tmp_path / "run", device="cpu", quiet=True), device="cpu")
    assert pipe.representation.fitted
    motion = pipe.generate(SPEECH)
    assert motion.values.shape == (25, 6, 1) and motion.to("landmarks68").values.shape == (25, 68, 2)
    # What it learns from are coefficients of the clips' motion, which six of them nearly describe.
    batches = Batches(open_corpus(corpus), recipe.data, pipe.audio_encoder, pipe.context(), frames=20, seed=0)
    coded = batches(0).motion
    assert coded.shape == (4, 20, 6, 1) and 0.01 < float(coded.std()) < 1


def test_parts_that_need_points_say_so_in_one_line(tmp_path: Path) -> None:
    part = fitted()
    assert not isinstance(part, hm.SupportsPoints2D) and not hasattr(part, "to_points2d")
    assert isinstance(FACE, hm.SupportsPoints2D)
    with pytest.raises(hm.MotionError, match=r"pca/six: expected points in the picture \(SupportsPoints2D: edges\)"):
        _ = part.edges
    pipe = hm.build({"representation": "pca/six", "generator": SMALL}, device="cpu")
    pipe.representation.load_state_dict(part.state_dict())
    with pytest.raises(hm.MotionError, match=r"renderer skeleton: expected points in the picture .*; convert"):
        pipe.render(pipe.generate(SPEECH), tmp_path / "never", quiet=True)
    for kind, name in (("renderer", "portrait"), ("loss", "reconstruction"), ("metric", "opening")):
        with pytest.raises(hm.HeadmotionError, match="expected points in the picture"):
            hm.resolve_spec(kind, name).build(hm.BuildContext(part, 26))
