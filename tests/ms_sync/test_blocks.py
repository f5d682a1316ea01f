import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.ms_sync.blocks import ConvBlock, GroupedBlock, grouped_stack


@given(
    kernel=st.sampled_from([1, 2, 3, 5, 7]),
    stride=st.sampled_from([1, 2]),
    lookahead=st.integers(-1, 2),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=8),
)
@settings(max_examples=40)
def test_a_streamed_block_equals_the_offline_one(kernel: int, stride: int, lookahead: int, sizes: list[int]) -> None:
    kernel, lookahead = max(kernel, stride), min(lookahead, kernel - 1)
    torch.manual_seed(0)
    block = ConvBlock(4, 6, kernel, stride, 2, lookahead).eval()
    inputs = torch.randn(2, 4, sum(sizes) + 1)
    with torch.no_grad():
        state, chunks, start = block.init_state(2), [], 0
        for size in [*sizes, 1]:
            chunk, state = block.stream(inputs[..., start : start + size], state)
            chunks.append(chunk)
            start += size
        chunks.append(block.stream(inputs[..., :0], state, last=True)[0])
        expected = block(inputs)
    assert expected.shape[-1] == -(-inputs.shape[-1] // stride)
    torch.testing.assert_close(torch.cat(chunks, -1), expected, atol=1e-6, rtol=0)


def test_a_block_looks_no_further_than_stated() -> None:
    block = ConvBlock(3, 3, 5, 1, 2, lookahead=1).eval()
    inputs = torch.randn(1, 3, 20)
    changed = inputs.clone()
    changed[..., 11] += 1
    difference = (block(inputs) - block(changed)).abs().sum(1)[0]
    changed_outputs = difference.nonzero().flatten().tolist()
    assert changed_outputs[0] == 11 - 1
    assert changed_outputs[-1] == 11 + 3


def test_grouped_blocks_are_independent_and_equal_single_ones() -> None:
    torch.manual_seed(0)
    grouped = GroupedBlock(3, 8, 5, 2)
    inputs = torch.randn(3, 7, 8)
    changed = inputs.clone()
    changed[1] += 1
    difference = (grouped(inputs) - grouped(changed)).abs().amax((1, 2))
    assert difference[0] == 0 and difference[1] > 0 and difference[2] == 0

    single = ConvBlock(8, 5, 1, 1, 2)
    with torch.no_grad():
        single.depthwise.weight.copy_(grouped.scale[1, 0].view(8, 1, 1))
        single.depthwise.bias.copy_(grouped.offset[1, 0])
        for source, target in ((grouped.expand, single.expand), (grouped.project, single.project)):
            target.weight.copy_(source.weight[1].T)
            target.bias.copy_(source.bias[1, 0])
        single.skip[0].weight.copy_(grouped.skip[0].weight[1].T)
        single.skip[0].bias.copy_(grouped.skip[0].bias[1, 0])
        torch.testing.assert_close(single(inputs[1].T.unsqueeze(0))[0].T, grouped(inputs)[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "outputs", "blocks", "widths"),
    [(1280, 272, 3, [1280, 640, 320, 272]), (512, 1, 4, [512, 256, 128, 64, 32]), (272, 68, 1, [272, 136])],
)
def test_a_stack_halves_its_width(inputs: int, outputs: int, blocks: int, widths: list[int]) -> None:
    with torch.device("meta"):
        stack = grouped_stack(2, inputs, outputs, blocks)
    assert [block.scale.shape[-1] for block in stack[:-1]] == widths[:-1]  # type: ignore[attr-defined]
    assert stack[-1].weight.shape[1:] == (widths[-1], outputs)


@pytest.mark.parametrize("frames", [1, 300])
def test_short_convolutions_by_products_equal_those_of_torch(frames: int) -> None:
    torch.manual_seed(0)
    block = ConvBlock(16, 16, 5, 1).eval()
    inputs = torch.randn(1, 16, frames)
    with torch.no_grad():
        streamed = block.stream(inputs, block.init_state(1), last=True)[0]
        torch.testing.assert_close(streamed, block(inputs), atol=1e-6, rtol=0)
