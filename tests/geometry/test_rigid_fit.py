"""Fits of rotations, similarities and poses, against known transforms, SciPy and brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from torch import Tensor

from headmotion.geometry.rigid_fit import fit_orthographic_pose, fit_similarity, nearest_orthographic, nearest_rotation

seeds, dims = st.integers(0, 10_000), st.sampled_from([2, 3])


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_rotations(seed: int, count: int, dims: int) -> Tensor:
    rng = np.random.default_rng(seed)
    if dims == 3:
        return torch.from_numpy(Rotation.random(count, rng=rng).as_matrix())
    angles = rng.uniform(-np.pi, np.pi, count)
    rows = [[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]
    return torch.from_numpy(np.moveaxis(np.array(rows), -1, 0))


@given(seeds, dims, st.floats(0.01, 100))
def test_known_similarities_are_recovered(seed: int, dims: int, scale: float) -> None:
    source, rotation, translation = normal(seed, 4, 6, dims), random_rotations(seed, 4, dims), normal(seed + 1, 4, dims)
    target = scale * source @ rotation.mT + translation[:, None]
    fit = fit_similarity(source, target)
    torch.testing.assert_close(fit.rotation, rotation)
    torch.testing.assert_close(fit.scale, torch.full((4,), scale, dtype=torch.float64))
    torch.testing.assert_close(fit.translation, translation, atol=1e-9 * scale, rtol=1e-9)
    torch.testing.assert_close(fit.apply(source), target)


@given(seeds)
def test_rotations_are_those_of_scipy(seed: int) -> None:
    source, target, weights = normal(seed, 7, 3), normal(seed + 1, 7, 3), normal(seed + 2, 7).abs()
    fit = fit_similarity(source, target, weights, with_scale=False)
    means = [(weights @ points / weights.sum()).numpy() for points in (source, target)]
    expected, _ = Rotation.align_vectors(target.numpy() - means[1], source.numpy() - means[0], weights.numpy())
    np.testing.assert_allclose(fit.rotation, expected.as_matrix(), atol=1e-9)
    np.testing.assert_allclose(fit.translation, means[1] - expected.as_matrix() @ means[0], atol=1e-9)
    assert fit.scale == 1


@pytest.mark.parametrize("with_scale", [True, False])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_no_other_transform_fits_better(seed: int, dims: int, with_scale: bool) -> None:
    source, target, weights = normal(seed, 5, dims), normal(seed + 9, 5, dims), normal(seed, 5).abs()
    fit = fit_similarity(source, target, weights, with_scale=with_scale)

    def loss(transformed: np.ndarray) -> float:
        return float((weights.numpy()[:, None] * (transformed - target.numpy()) ** 2).sum())

    def candidate(numbers: np.ndarray) -> float:
        angles = numbers[dims : dims + 3] if dims == 3 else [0, 0, numbers[dims]]
        rotation = Rotation.from_rotvec(angles).as_matrix()[:dims, :dims]
        scale = np.exp(numbers[-1]) if with_scale else 1.0
        return loss(scale * source.numpy() @ rotation.T + numbers[:dims])

    rng = np.random.default_rng(seed)
    starts = rng.normal(0, 1.5, (12, dims + (3 if dims == 3 else 1) + with_scale))
    best = min(minimize(candidate, start, method="BFGS").fun for start in starts)
    assert loss(fit.apply(source).numpy()) == pytest.approx(best, rel=1e-6)


@given(seeds, dims)
def test_weights_count_points_several_times(seed: int, dims: int) -> None:
    source, target = normal(seed, 5, dims), normal(seed + 1, 5, dims)
    counts = torch.tensor([1, 3, 2, 0, 1])
    weighted = fit_similarity(source, target, counts.double())
    repeated = fit_similarity(source.repeat_interleave(counts, 0), target.repeat_interleave(counts, 0))
    torch.testing.assert_close(weighted.apply(source), repeated.apply(source))


@given(seeds, dims)
def test_reflections_are_excluded(seed: int, dims: int) -> None:
    source = normal(seed, 6, dims)
    mirrored = source * torch.tensor([-1.0, 1.0, 1.0][:dims])
    fit = fit_similarity(source, mirrored)
    assert float(torch.linalg.det(fit.rotation)) == pytest.approx(1)
    assert fit.scale >= 0


@pytest.mark.parametrize("dims", [2, 3])
def test_batches_broadcast(dims: int) -> None:
    source, targets = normal(0, 5, dims), normal(1, 2, 3, 5, dims)
    fit = fit_similarity(source, targets)
    assert fit.rotation.shape == (2, 3, dims, dims) and fit.scale.shape == (2, 3)
    single = fit_similarity(source, targets[1, 2])
    torch.testing.assert_close(fit.apply(source)[1, 2], single.apply(source))


@pytest.mark.parametrize("dims", [2, 3])
def test_coincident_points_give_no_rotation(dims: int) -> None:
    points, coincident = normal(0, 5, dims), torch.ones(5, dims, dtype=torch.float64)
    collapsing = fit_similarity(points, coincident)
    assert torch.equal(collapsing.rotation, torch.eye(dims, dtype=torch.float64)) and collapsing.scale == 0
    torch.testing.assert_close(collapsing.apply(points), coincident)
    undefined = fit_similarity(coincident, points)
    assert torch.equal(undefined.rotation, torch.eye(dims, dtype=torch.float64)) and undefined.scale == 1
    torch.testing.assert_close(undefined.apply(coincident), points.mean(0).expand(5, dims))


def test_gradients_in_the_plane_are_finite_and_right() -> None:
    source, target = normal(0, 3, 5, 2).requires_grad_(), normal(1, 3, 5, 2)
    assert torch.autograd.gradcheck(lambda points: fit_similarity(points, target).apply(points), source)
    coincident = torch.zeros(5, 2, requires_grad=True)
    fit_similarity(coincident, target[0].float()).apply(coincident).square().sum().backward()
    assert coincident.grad is not None and coincident.grad.isfinite().all()


@given(seeds, dims)
def test_the_nearest_rotation_is_the_polar_factor(seed: int, dims: int) -> None:
    rotation, factor = random_rotations(seed, 3, dims), normal(seed, 3, dims, dims)
    positive = factor @ factor.mT + 0.1 * torch.eye(dims, dtype=torch.float64)
    torch.testing.assert_close(nearest_rotation(rotation @ positive), rotation, atol=1e-6, rtol=0)


@given(seeds, dims, st.floats(0.1, 10))
def test_known_poses_are_recovered(seed: int, dims: int, scale: float) -> None:
    shape, rotation, center = normal(seed, 8, 3), random_rotations(seed, 5, 3), normal(seed, 5, dims)
    points = (scale * (shape - shape.mean(0)) @ rotation.mT)[..., :dims] + center[:, None]
    pose = fit_orthographic_pose(shape, points)
    torch.testing.assert_close(pose.rotation, rotation, atol=1e-6, rtol=0)
    torch.testing.assert_close(pose.scale, torch.full((5,), scale, dtype=torch.float64))
    torch.testing.assert_close(pose.center, center)
    torch.testing.assert_close(pose.linear, scale * rotation[:, :dims, :dims], atol=1e-6 * scale, rtol=0)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_flat_shape_has_a_pose_too(dims: int) -> None:
    shape = torch.nn.functional.pad(normal(0, 8, 2), (0, 1))
    shape -= shape.mean(0)
    pose = fit_orthographic_pose(shape, 2 * shape[None, :, :dims])
    torch.testing.assert_close(pose.rotation[0], torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(pose.scale, torch.full((1,), 2.0, dtype=torch.float64))


@given(seeds)
def test_the_nearest_images_of_axes_are_those_of_the_fitted_pose(seed: int) -> None:
    shape, points = normal(seed, 8, 3), normal(seed + 1, 1, 8, 2)
    linear = (points[0] - points[0].mean(0)).T @ torch.linalg.pinv(shape - shape.mean(0)).T
    images, scale = nearest_orthographic(torch.complex(*linear).numpy())
    pose = fit_orthographic_pose(shape, points)
    assert scale == pytest.approx(float(pose.scale))
    np.testing.assert_allclose(images, torch.complex(*(pose.scale * pose.rotation[0, :2])).numpy(), atol=1e-6)
    assert abs((images**2).sum()) < 1e-6


@pytest.mark.parametrize("line", [0.0, 2.0, 3 - 4j])
def test_axes_seen_along_a_line_are_halved(line: complex) -> None:
    images = line * np.array([1.0, -2.0, 2.0])
    nearest, scale = nearest_orthographic(images)
    np.testing.assert_allclose(nearest, images / 2, atol=1e-6)
    assert scale == pytest.approx(3 * abs(line) / 2, rel=1e-6, abs=1e-9)
