"""Other proportions: an augmentation of the poses alone."""

from pathlib import Path

import pytest
import torch

import headmotion as hm
from headmotion.core.errors import SpecError
from headmotion.core.representation import SupportsStretch
from headmotion.core.spec import spec_from
from headmotion.data.corpus import open_corpora
from headmotion.data.synthetic import write_synthetic
from headmotion.training.batches import Batches
from headmotion.training.recipe import DataSpec, load_recipe


@pytest.mark.parametrize("name", ["landmarks68", "landmarks68-3d", "mesh478"])
def test_poses_are_wider_and_lower_about_the_middle(name: str) -> None:
    representation = spec_from("representation", name).build()
    assert isinstance(representation, SupportsStretch)
    rest = representation.neutral()
    made = representation.stretched(rest, 1.5, 0.5)
    torch.testing.assert_close(made[:, :2] - 0.5, (rest[:, :2] - 0.5) * torch.tensor([1.5, 0.5]))
    torch.testing.assert_close(made[:, 2:], rest[:, 2:])


def batches(corpus: Path, stretch: float, representation: str = "landmarks68") -> Batches:
    pipe = hm.build({"representation": representation}, device="cpu")
    spec = DataSpec(batch_size=8, stretch=stretch)
    return Batches(open_corpora([corpus]), spec, pipe.audio_encoder, pipe.context(), 20, seed=2)


def test_each_clip_has_proportions_of_its_own_that_its_motion_keeps(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "corpus", clips=4, seconds=2.0)
    plain, made = batches(corpus, 0.0)(0), batches(corpus, 0.3)(0)
    torch.testing.assert_close(made.audio, plain.audio)

    def box(motion: torch.Tensor) -> torch.Tensor:
        return motion.amax((1, 2)) - motion.amin((1, 2))

    change = box(made.motion) / box(plain.motion)
    assert change.std(0).min() > 0.05 and (change.log().abs() < torch.tensor(1.31).log()).all()
    whole = box(made.motion[:, 5:]) / box(plain.motion[:, 5:])
    torch.testing.assert_close(whole, change, rtol=1e-4, atol=0)


def test_what_cannot_be_stretched_is_refused(tmp_path: Path) -> None:
    recipe = load_recipe("smoke", ["pipeline.representation=blendshapes", "data.stretch=0.1"])
    pipe = hm.build({"representation": recipe.pipeline.representation}, device="cpu")
    corpus = open_corpora([write_synthetic(tmp_path / "corpus", clips=4, seconds=2.0)])
    with pytest.raises(SpecError, match=r"data\.stretch"):
        Batches(corpus, recipe.data, pipe.audio_encoder, pipe.context(), 20, seed=2)
