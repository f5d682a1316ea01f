"""A depth-wise convolution tap by tap equals torch's, and so do its gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from headmotion.ms_sync import blocks
from headmotion.ms_sync.depthwise import convolve_by_taps

CASES = pytest.mark.parametrize(
    ("length", "kernel", "stride", "lookback"),
    [
        (9, 3, 1, 1),
        (8, 3, 2, 1),
        (9, 3, 2, 1),
        (7, 5, 2, 4),
        (7, 5, 1, 0),
        (1, 3, 1, 1),
        (2, 7, 2, 3),
        (3, 1, 1, 0),
        (4, 2, 2, 0),
    ],
)


def convolution(kernel: int, stride: int) -> nn.Conv1d:
    torch.manual_seed(0)
    return nn.Conv1d(3, 3, kernel, stride, groups=3).double()


@CASES
def test_outputs_and_gradients_are_those_of_torch(length: int, kernel: int, stride: int, lookback: int) -> None:
    layer = convolution(kernel, stride)
    sequence = torch.randn(2, length, 3, dtype=torch.float64, requires_grad=True)
    padded = functional.pad(sequence.mT, (lookback, kernel - 1 - lookback))
    expected, got = layer(padded).mT, convolve_by_taps(layer, sequence, lookback)
    torch.testing.assert_close(got, expected)
    inputs, weight = (sequence, layer.weight, layer.bias), torch.randn_like(expected)
    for mine, reference in zip(*(torch.autograd.grad(y, inputs, weight) for y in (got, expected)), strict=True):
        torch.testing.assert_close(mine, reference)


@CASES
def test_gradients_are_those_of_finite_differences(length: int, kernel: int, stride: int, lookback: int) -> None:
    layer = convolution(kernel, stride).requires_grad_(False)  # gradients of frozen weights are left out
    sequence = torch.randn(2, length, 3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda sequence: convolve_by_taps(layer, sequence, lookback), sequence)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_block_in_training_equals_one_without_gradients(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    block = blocks.ConvBlock(4, 6, 5, 2, 2, lookahead=1)
    inputs = torch.randn(3, 4, 11)
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        trained = block(inputs)
        with torch.no_grad():
            expected = block(inputs)
    trained.float().sum().backward()
    assert trained.dtype == expected.dtype
    torch.testing.assert_close(trained, expected, atol=1e-6 if dtype == torch.float32 else 0.05, rtol=0)


def test_a_compiler_sees_the_convolution() -> None:
    block = blocks.ConvBlock(4, 4, 3).eval()
    program = torch.export.export(block, (torch.randn(2, 4, 8),))
    assert any("conv1d" in str(node.target) for node in program.graph.nodes)
