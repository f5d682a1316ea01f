"""Where the time goes: operators of one frame, and parts of a training step, as a page."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic

from ..steps import step_times
from .generation import inputs
from .measuring import threads

PAGE = Path(__file__).parents[2] / "docs" / "where-the-time-goes.md"
KINDS = {
    "matrix products": ("bmm", "addmm", "baddbmm", "mm", "linear", "convolution"),
    "activations": ("gelu", "sigmoid", "softmax", "tanh"),
    "norms": ("layer_norm", "batch_norm"),
    "sums and scales": ("add", "sub", "mul", "addcmul", "lerp", "mean", "sum", "lstm", "rsqrt", "square", "pow"),
}
"""Words in the names of operators, in this order."""
FRAMES = 40


def kind_of(operator: str) -> str:
    """What an operator does; the rest is copies, views and the allocation of memory."""
    name = operator.removeprefix("aten::").strip("_")
    for kind, words in KINDS.items():
        if any(word in name.split("_") or name.endswith(word) for word in words):
            return kind
    return "copies and views"


def shares(preset: str, batch: int) -> tuple[float, Counter[str]]:
    """Milliseconds of operators per frame, and the share of each kind."""
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": preset}}, device="cpu")
    given = inputs(batch, FRAMES)
    with threads(1), torch.inference_mode():
        pipe.generator(*given)
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            pipe.generator(*given)
    spent: Counter[str] = Counter()
    events: list[FunctionEvent] = list(watched.key_averages())
    for event in events:
        spent[kind_of(event.key)] += event.self_cpu_time_total
    whole = sum(spent.values())
    return whole / 1000 / FRAMES, Counter({kind: each / whole for kind, each in spent.items()})


def rows() -> Iterator[str]:
    """The tables."""
    yield from ("## A frame", "", "| generator | ms of operators | share |", "|---|---|---|")
    for preset in ("small", "paper", "paper-code"):
        for batch in (1, 16):
            ms, parts = shares(preset, batch)
            yield f"| preset `{preset}`, batch {batch} | {ms:.2f} | {listed(parts)} |"
    yield from ("", "## A training step", "", "| recipe and phase | seconds | share |", "|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for recipe, phase, clips, seconds, parts in step_times(corpus):
            yield f"| `{recipe}`, {phase} phase, {clips} clips | {seconds:.2f} | {listed(parts)} |"


def listed(parts: Counter[str]) -> str:
    """Shares, the largest first."""
    return ", ".join(f"{name} {100 * share:.0f}%" for name, share in parts.most_common() if share >= 0.005)


INTRODUCTION = """\
# Where the time goes

Made by `python -m benchmarks.goals.profile`, on one thread. What runs within a matrix product or a convolution counts
as that one's; the time between operators, which is Python's, is not in the first table.

"""
READING = """
## What has been done about it

- The four branches are one batched product per layer, and a one-tap depth-wise convolution is a multiply-add.
- Gradients of the branches' weights are computed once per rollout (`headmotion/ms_sync/batched_weight_grads.py`).
- Activations of few numbers go around oneDNN, which takes longer to prepare than to compute them.
- What is generated from a file goes through the audio networks in blocks of a second, not frame by frame.
- Batches of waves become features in blocks that fit the caches (`headmotion/audio_encoders/log_mel.py`).
- A training step makes one rollout for both updates, and no gradient of the discriminators' weights in the generator's.
"""

if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    PAGE.write_text(INTRODUCTION + "\n".join(rows()) + "\n" + READING, "utf-8")
    print(PAGE)
