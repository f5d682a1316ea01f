"""The loss `pixels`: L1, structural similarity and gradients of pictures, weighted by groups of points."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from skimage.metrics import structural_similarity

import headmotion as hm
from headmotion.core.interfaces.sample import Sample
from headmotion.core.interfaces.specs import BuildContext
from headmotion.losses.picture_regions import moving_mask, region_mask
from headmotion.losses.ssim import crop_to_map, ssim_map

FACE = hm.resolve_spec("representation", "landmarks68").build()
CONTEXT = BuildContext(FACE, audio_channels=26)


def pictures(seed: int = 0, height: int = 40, width: int = 48) -> torch.Tensor:
    return torch.rand(2, 3, 3, height, width, generator=torch.Generator().manual_seed(seed))


def sample(frames: torch.Tensor) -> Sample:
    pose = FACE.neutral().expand(len(frames), frames.shape[1], -1, -1)
    audio = torch.zeros(len(frames), 4 * frames.shape[1] + 4, 26)
    return Sample(pose[:, :1], pose, audio, frames=frames, picture_motion=pose)


def loss(**fields: Any) -> Any:
    part = hm.resolve_spec("loss", {"type": "pixels", **fields}).build(CONTEXT)
    return lambda real, generated: dict(part(sample(real), sample(generated), 0))


def test_terms_are_those_with_a_weight() -> None:
    real = pictures()
    assert set(loss()(real, real)) == {"picture_l1"}
    terms = loss(l1=1, ssim=0.5, gradient=2)(real, real)
    assert set(terms) == {"picture_l1", "picture_ssim", "picture_gradient"}
    assert all(abs(float(term)) < 1e-5 for term in terms.values())


def test_l1_and_gradients_of_a_known_difference() -> None:
    real = 0.5 * pictures()
    brighter = loss(l1=3, gradient=1)(real, real + 0.25)
    assert float(brighter["picture_l1"]) == pytest.approx(0.75) and float(brighter["picture_gradient"]) < 1e-6
    ramp = torch.linspace(0, 0.47, 48).expand(2, 3, 3, 40, 48)  # a hundredth more per pixel to the right
    assert float(loss(gradient=1, l1=0)(real, real + ramp)["picture_gradient"]) == pytest.approx(0.01, rel=1e-3)


def test_structural_similarity_is_that_of_scikit_image() -> None:
    first, second = pictures(0), pictures(1)
    second = 0.7 * first + 0.3 * second
    ours = ssim_map(first, second)
    assert ours.shape == (2, 3, 30, 38) and crop_to_map(first[:, :, 0]).shape == ours.shape
    for clip in range(2):
        expected = structural_similarity(
            first[clip, 0].double().numpy(),
            second[clip, 0].double().numpy(),
            channel_axis=0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert float(ours[clip, 0].mean()) == pytest.approx(expected, abs=1e-4)


def test_a_mask_covers_the_box_around_its_points() -> None:
    points = torch.tensor([[[0.2501, 0.4001], [0.7501, 0.6001]]])  # pixel i lies at i / 100
    mask = region_mask(points, (100, 100), 0.0)
    assert mask.shape == (1, 100, 100)
    assert mask[0, 41:61, 26:76].all() and mask.sum() == 20 * 50
    wider = region_mask(points, (100, 100), 0.1)  # a tenth of the longer edge on each side
    assert wider[0, 36:66, 21:81].all() and wider.sum() == 30 * 60
    # Of a wide picture the shorter edge lies in the middle of 0..1.
    wide = region_mask(torch.tensor([[0.0, 0.25], [1.0, 0.5001]]), (50, 100), 0.0)
    assert wide[:26].all() and not wide[26:].any()


def test_pixels_near_a_group_weigh_more() -> None:
    real = pictures()
    mask = region_mask(FACE.to_points2d(FACE.neutral())[list(FACE.groups["lips"])], (40, 48), 0.2)[None, None, None]
    assert 0 < mask.mean() < 0.5
    at_lips, elsewhere = real + 0.1 * mask, real + 0.1 * (1 - mask)
    plain, masked = loss(), loss(groups={"lips": 9.0}, margin=0.2)
    share = float(mask.mean())
    assert float(plain(real, at_lips)["picture_l1"]) == pytest.approx(0.1 * share, rel=1e-3)
    expected = 0.1 * 10 * share / (10 * share + 1 - share)
    assert float(masked(real, at_lips)["picture_l1"]) == pytest.approx(expected, rel=1e-3)
    assert float(masked(real, elsewhere)["picture_l1"]) < float(plain(real, elsewhere)["picture_l1"])


def test_gradients_reach_the_generated_pictures_only() -> None:
    real, generated = pictures(0), pictures(1).requires_grad_()
    terms = loss(l1=1, ssim=1, gradient=1, groups={"lips": 2.0})(real, generated)
    torch.stack(list(terms.values())).sum().backward()
    assert generated.grad.isfinite().all() and generated.grad.abs().sum() > 0


def test_mistakes_are_one_line() -> None:
    part = hm.resolve_spec("loss", {"type": "pixels", "ssim": 1.0}).build(CONTEXT)
    assert part.needs == {"motion", "frames"}
    with pytest.raises(hm.SpecError, match="pixels loss: expected pictures"):
        part(replace(sample(pictures()), frames=None), sample(pictures()), 0)
    small = sample(pictures(height=8, width=8))
    with pytest.raises(hm.SpecError, match="pictures of 11 pixels or more each way for ssim, got 8 x 8"):
        part(small, small, 0)
    with pytest.raises(hm.SpecError, match="groups that landmarks68 has"):
        loss(groups={"ears": 1.0})
    with pytest.raises(hm.SpecError, match="a weight above 0"):
        loss(l1=0)


def test_pixels_that_move_weigh_more() -> None:
    still = torch.full((1, 3, 40, 48), 0.5)
    real = still[:, None].repeat(1, 2, 1, 1, 1)
    real[..., 10:20, 10:20] += 0.4
    drawn, part = (
        still[:, None].expand_as(real),
        hm.resolve_spec("loss", {"type": "pixels", "moving": 9}).build(CONTEXT),
    )
    recorded = replace(sample(real), identity=still)
    error = float(part(recorded, sample(drawn), 0)["picture_l1"])
    mask = moving_mask(real, still)
    assert mask[..., 12:18, 12:18].min() == 1 and not mask[..., 25:].any()
    weights = 1 + 9 * mask[0, 0]
    assert error == pytest.approx(float(0.4 * weights[10:20, 10:20].sum() / weights.sum()), rel=1e-4)


def test_pixels_in_a_box_weigh_more() -> None:
    box = {"left": 0.25, "top": 0.5, "right": 0.5, "bottom": 1.0, "weight": 3.0}
    part = hm.resolve_spec("loss", {"type": "pixels", "l2": 2.0, "boxes": [box]}).build(CONTEXT)
    real = torch.zeros(1, 2, 3, 40, 48)
    drawn = real.clone()
    drawn[..., 30, 20] = 0.5
    terms, share = part(sample(real), sample(drawn), 0), 4 / (40 * 48 + 3 * 20 * 12)
    assert float(terms["picture_l1"]) == pytest.approx(0.5 * share, rel=1e-4)
    assert float(terms["picture_l2"]) == pytest.approx(2 * 0.25 * share, rel=1e-4)
    with pytest.raises(hm.SpecError, match="a box with left < right and top < bottom, got left"):
        hm.resolve_spec("loss", {"type": "pixels", "boxes": [box | {"left": 0.5}]})
