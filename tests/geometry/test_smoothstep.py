"""The smoothstep curve."""

import numpy as np
import pytest
import torch

from headmotion.geometry.smoothstep import smoothstep


def test_it_rises_from_0_to_1_with_level_ends():
    t = np.linspace(-1, 2, 301)
    curve = smoothstep(t)
    assert (curve[t <= 0] == 0).all() and (curve[t >= 1] == 1).all()
    assert (np.diff(curve) >= 0).all() and smoothstep(0.5) == 0.5
    assert smoothstep(1e-3) < 1e-5 and smoothstep(1 - 1e-3) > 1 - 1e-5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_and_tensors_agree_and_keep_their_type(dtype):
    values = np.random.default_rng(0).uniform(-0.5, 1.5, 100).astype(dtype)
    tensor = smoothstep(torch.from_numpy(values))
    assert smoothstep(values).dtype == values.dtype and tensor.numpy().dtype == values.dtype
    np.testing.assert_array_equal(tensor.numpy(), smoothstep(values))
