"""Metrics of pictures: PSNR, SSIM, LPIPS, and landmarks that are found again."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import headmotion as hm
from headmotion.core.interfaces.metric import MetricInput, MetricValues, PicturePair
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.plugins import registry
from headmotion.media.image import read_picture
from headmotion.metrics.lpips_network import LpipsNetwork
from headmotion.testing import check_component

FACE = hm.resolve_spec("representation", "landmarks68").build()
CONTEXT = BuildContext(FACE, audio_channels=26)
ASSETS = files("headmotion") / "assets"


@pytest.fixture(scope="module")
def portrait() -> tuple[torch.Tensor, torch.Tensor]:
    """The bundled portrait as ``uint8 [3, 256, 256]`` and its landmarks."""
    with as_file(ASSETS) as assets:
        picture = read_picture(assets / "portrait.png")[::2, ::2]
        landmarks = np.load(assets / "portrait_landmarks.npz")["landmarks"][:, :2] / 2
    return torch.from_numpy(picture.copy()).permute(2, 0, 1), torch.from_numpy(landmarks).float()


def clip(generated: torch.Tensor, real: torch.Tensor, pose: torch.Tensor) -> MetricInput:
    motion = pose.expand(len(real), -1, -1)
    pair = PicturePair(generated, real, motion)
    return MetricInput("clip", hm.Motion(motion, Fraction(25)), pictures=pair)


def measure(spec: object, given: MetricInput) -> MetricValues:
    metric = hm.resolve_spec("metric", spec).build(CONTEXT)
    return metric.figures([metric.observe(given)])


def noisy(picture: torch.Tensor, frames: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    real = picture.expand(frames, -1, -1, -1)
    noise = 15 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    return (real + noise).round().clamp(0, 255).to(torch.uint8), real


def test_psnr_and_ssim_are_those_of_scikit_image(portrait) -> None:
    picture, pose = portrait
    generated, real = noisy(picture)
    given, pairs = clip(generated, real, pose), list(zip(real.numpy(), generated.numpy(), strict=True))
    psnr = np.mean([peak_signal_noise_ratio(true, drawn, data_range=255) for true, drawn in pairs])
    assert measure("psnr", given).values["psnr_db"] == pytest.approx(psnr, abs=1e-3)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    ssim = np.mean(
        [structural_similarity(true, drawn, channel_axis=0, data_range=255, **options) for true, drawn in pairs]
    )
    assert measure("ssim", given).values["ssim"] == pytest.approx(ssim, abs=1e-4)


def test_equal_pictures_have_the_best_values(portrait) -> None:
    picture, pose = portrait
    given = clip(picture[None], picture[None], pose)
    assert measure("psnr", given).values["psnr_db"] == pytest.approx(58.92, abs=0.01)  # the error of rounding
    assert measure("ssim", given).values["ssim"] == pytest.approx(1.0)


def test_a_group_limits_the_comparison_to_its_surroundings(portrait) -> None:
    picture, pose = portrait
    lips = pose[list(FACE.groups["lips"])]
    x, y = lips.mean(0).round().int().tolist()
    at_lips = picture[None].clone()
    at_lips[..., y - 4 : y + 4, x - 4 : x + 4] = 0
    given = clip(at_lips, picture[None], pose)
    for name, value in (("psnr", "psnr_db"), ("ssim", "ssim")):
        everywhere, around = measure(name, given), measure({"type": name, "group": "lips"}, given)
        assert around.values[value] < everywhere.values[value]
    outside = clip(at_lips, picture[None], pose + 1000)
    assert not measure({"type": "psnr", "group": "lips"}, outside).values


def test_mistakes_are_one_line(portrait) -> None:
    picture, pose = portrait
    without = MetricInput("clip", hm.Motion(pose[None], Fraction(25)))
    for name in ("psnr", "ssim", "lmd-redetected"):
        with pytest.raises(hm.MotionError, match=f"{name}: expected pictures, generated and recorded, got none"):
            measure(name, without)
    with pytest.raises(hm.MotionError, match="as many generated pictures as recorded ones, of one size"):
        measure("psnr", clip(picture[None], picture[None, :, ::2, ::2], pose))
    with pytest.raises(hm.MotionError, match="pictures of 11 pixels or more"):
        measure("ssim", clip(picture[None, :, :8, :8], picture[None, :, :8, :8], pose))


def test_lpips_is_that_of_the_published_network(tmp_path: Path, portrait) -> None:
    # The value was computed once with torchmetrics 1.9, from the same weights and pictures.
    network = LpipsNetwork()
    weights = {}
    for name, parameter in network.named_parameters():
        wave = torch.linspace(0, parameter.numel() / 10, parameter.numel()).sin().reshape(parameter.shape)
        weights[name] = wave.abs() if name.startswith("lin") else 0.05 * wave
    # Further names of the file, such as those under which the package lpips holds the same tensors again, are ignored.
    save_file(weights | {"scaling_layer.shift": torch.zeros(3)}, tmp_path / "lpips.safetensors")
    network.requires_grad_(False).load_state_dict(weights)
    picture = torch.linspace(0, 40, 3 * 40 * 40).sin().reshape(1, 3, 40, 40) / 2 + 0.5
    assert float(network(picture, picture.flip(-1))) == pytest.approx(0.0452326, abs=2e-6)

    spec = {"type": "lpips", "weights": str(tmp_path / "lpips.safetensors")}
    generated, real = noisy(portrait[0])
    worse = measure(spec, clip(generated, real, portrait[1])).values["lpips"]
    assert worse > measure(spec, clip(real, real, portrait[1])).values["lpips"] == 0
    check_component(hm.resolve_spec("metric", spec))
    metric = hm.resolve_spec("metric", spec).build(CONTEXT)
    assert len(metric.protocol["weights_sha256"]) == 64
    with pytest.raises(hm.CheckpointError, match=r"weights of LPIPS: expected a \.safetensors file.*save_model"):
        hm.resolve_spec("metric", {"type": "lpips", "weights": str(tmp_path / "none.safetensors")}).build(CONTEXT)


def test_landmarks_are_found_again_and_compared_with_the_recorded_ones(portrait) -> None:
    picture, pose = portrait
    blank = torch.zeros_like(picture)
    both = clip(torch.stack([picture, blank]), picture.expand(2, -1, -1, -1), pose)
    values = measure("lmd-redetected", both).values
    assert values["faces_found"] == 0.5 and values["lmd_redetected_px"] < 2.5
    opened = pose.clone()
    opened[list(FACE.groups["lips"])] *= torch.tensor([1.0, 1.3])
    wrong = measure("lmd-redetected", clip(picture[None], picture[None], opened)).values
    assert wrong["lmd_redetected_px"] > 2 * values["lmd_redetected_px"]
    nothing = measure("lmd-redetected", clip(blank[None], picture[None], pose))
    assert nothing.values == {"faces_found": 0.0}
    every = {"type": "lmd-redetected", "every": 2}
    assert measure(every, both).values["faces_found"] == 1.0


class QuickSpec(hm.DetectorSpec):
    """Finds the resting pose in every picture, at no cost."""

    type: Literal["quick"] = "quick"

    def build(self, context: BuildContext) -> Quick:
        return Quick(self)


class Quick(hm.Detector):
    def detect(self, images):
        return [[hm.Detection(100 * FACE.neutral(), (0, 0, 100, 100))] for _ in images]


def test_it_conforms_with_any_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry().specs, ("detector", "quick"), QuickSpec)
    check_component(hm.resolve_spec("metric", {"type": "lmd-redetected", "detector": "quick"}))
