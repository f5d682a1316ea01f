from types import SimpleNamespace

import pytest
import torch

from headmotion.core.interfaces.sample import Sample
from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync.discriminator import window_starts
from headmotion.ms_sync.specs import MSSyncDiscriminatorSpec


def context(points: int = 68, dims: int = 2) -> BuildContext:
    return BuildContext(SimpleNamespace(points=points, dims=dims), 26)  # type: ignore[arg-type]


def sample(reference: torch.Tensor, motion: torch.Tensor) -> Sample:
    return Sample(reference, motion, torch.empty(0))


@pytest.mark.parametrize(
    ("frames", "counts", "last"), [(40, [19, 7, 3, 1], [34, 28, 18, -2]), (80, [39, 15, 7, 3], [74, 68, 58, 38])]
)
def test_windows_are_those_of_the_published_discriminator(frames: int, counts: list[int], last: list[int]) -> None:
    windows = [window_starts(width, frames, 2) for width in (5, 10, 20, 40)]
    assert [len(starts) for starts in windows] == counts
    assert [starts[0] for starts in windows] == [-2, -2, -2, -2]
    assert [starts[-1] for starts in windows] == last


def test_parameter_counts_are_those_of_the_published_networks() -> None:
    with torch.device("meta"):
        discriminator = MSSyncDiscriminatorSpec().build(context())
    millions = {name: sum(p.numel() for p in head.parameters()) / 1e6 for name, head in discriminator.heads.items()}
    assert {name: round(value, 1) for name, value in millions.items()} == {"frame": 2.3, "sequence": 14.7, "pair": 14.7}
    assert round(sum(p.numel() for p in discriminator.parameters()) / 1e6, 1) == 33.2


@pytest.mark.parametrize(("points", "dims"), [(68, 2), (10, 6)])
def test_every_head_scores_and_pairs_are_judged_together(points: int, dims: int) -> None:
    torch.manual_seed(0)
    spec = MSSyncDiscriminatorSpec.model_validate({"preset": "small"})
    discriminator = spec.build(context(points, dims)).eval()
    reference, motion = torch.rand(6, 3, points, dims), torch.rand(6, 40, points, dims)
    scores = discriminator(sample(reference, motion))
    assert {name: tuple(s.shape) for name, s in scores.items()} == {"frame": (240,), "sequence": (6,), "pair": (3,)}
    changed = motion.clone()
    changed[0] = changed[1]
    new = discriminator(sample(reference, changed))
    assert torch.equal(scores["sequence"][1:], new["sequence"][1:])
    assert not torch.equal(scores["pair"][0], new["pair"][0]) and torch.equal(scores["pair"][1:], new["pair"][1:])


def test_long_sequences_are_thinned_in_training_only() -> None:
    discriminator = MSSyncDiscriminatorSpec.model_validate({"preset": "small"}).build(context(5))
    reference, motion = torch.rand(2, 3, 5, 2), torch.rand(2, 80, 5, 2)
    assert len(discriminator.train()(sample(reference, motion))["frame"]) == 80
    assert len(discriminator.eval()(sample(reference, motion))["frame"]) == 160


def test_an_odd_batch_leaves_its_last_clip_out_of_the_pairs() -> None:
    discriminator = MSSyncDiscriminatorSpec.model_validate({"preset": "small"}).build(context(5)).eval()
    scores = discriminator(sample(torch.rand(3, 3, 5, 2), torch.rand(3, 20, 5, 2)))
    assert len(scores["pair"]) == 1 and len(scores["sequence"]) == 3
