"""Where the time goes: operators of a frame, parts of a training step, and what accelerations bring, as a page."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

import headmotion as hm
from headmotion.data.synthetic.talking_faces import write_synthetic

from ..accelerations import measure_all
from ..timings import step_times
from . import command
from .generation import inputs
from .timing import threads

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
    """Return the kind of an operator; those without a kind are copies, views and the allocation of memory."""
    name = operator.removeprefix("aten::").strip("_")
    for kind, words in KINDS.items():
        if any(word in name.split("_") or name.endswith(word) for word in words):
            return kind
    return "copies and views"


def operator_shares(preset: str, batch: int) -> tuple[float, Counter[str]]:
    """Return the milliseconds of operators per frame, and the fraction of each kind."""
    pipe = hm.build({"generator": {"type": "ms-sync", "preset": preset}}, device="cpu")
    arguments = inputs(batch, FRAMES)
    with threads(1), torch.inference_mode():
        pipe.generator(*arguments)
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            pipe.generator(*arguments)
    times: dict[str, float] = {}
    events: list[FunctionEvent] = list(profiler.key_averages())
    for event in events:
        kind = kind_of(event.key)
        times[kind] = times.get(kind, 0.0) + event.self_cpu_time_total
    total = sum(times.values())
    return total / 1000 / FRAMES, Counter({kind: time / total for kind, time in times.items()})


def rows() -> Iterator[str]:
    """Yield the lines of the tables."""
    yield from command.rows()
    yield from ("", "## A frame", "", "| generator | ms of operators | share |", "|---|---|---|")
    for preset in ("small", "paper", "paper-code"):
        for batch in (1, 16):
            ms, shares = operator_shares(preset, batch)
            yield f"| preset `{preset}`, batch {batch} | {ms:.2f} | {as_text(shares)} |"
    yield from ("", "## A training step", "", "| recipe and phase | seconds | share |", "|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for step in step_times(corpus, clock=time.process_time):
            case = f"`{step.recipe}`, {step.phase} phase, {step.clips} clips"
            yield f"| {case} | {step.seconds:.2f} | {as_text(step.shares)} |"
    yield from ("", "## What accelerations bring", "", ACCELERATIONS, "")
    yield from measure_all()


def as_text(shares: Counter[str]) -> str:
    """Return the fractions in percent, the largest first."""
    return ", ".join(f"{name} {100 * share:.0f}%" for name, share in shares.most_common() if share >= 0.005)


INTRODUCTION = """\
# Where the time goes

Made by `python -m benchmarks.goals.profile`, on one thread. What runs within a matrix product or a convolution counts
as part of it. The time between operators, which is Python's, is not in the table of frames. The seconds of a command
and of a training step are the processor's.

"""
ACCELERATIONS = """\
Processor time without an acceleration over the time with it, by `python -m benchmarks.accelerations`: the median of
all turns, which are in random order, and its 95 % interval (bootstrap over turns). What brings less than 10 %
everywhere is not in the code."""
READING = """
## What else has been done

- The four branches are one batched product per layer, and a one-tap depth-wise convolution is a multiply-add.
- Motion from a file is generated in blocks of a second, not frame by frame.
- Batches of waves become features in blocks that fit the caches (`headmotion/audio_encoders/log_mel.py`).
- A training step uses one rollout for both updates, and the generator's update computes no gradients of the
  discriminators' weights.
- Adam updates all weights in one pass over memory, which matters where a step has few clips.
- `small-cpu` keeps the audio features of its clips and varies their loudness without the wave (`SupportsAttenuation`).
  The crops of a batch are stretched and mirrored together.
- A command imports neither SciPy nor torch's compiler on its way to a video. Python does not search torch's objects for
  cycles while they are made, nor at the end (`headmotion/cli/main.py`). The hooks of a plugin that is being loaded
  share one watch, which is a thread, and its metadata is parsed once.
- The frames of a video share one color conversion on one thread, in which frames and sound are also encoded while the
  next frames are drawn. `.mp4` is encoded by x264's preset `veryfast` at a quality (`crf`) as close to the pictures as
  the preset `medium`.
- The portrait moves only the surroundings of the head, on a grid that follows the size of the face; a landmark is added
  to the nodes that it reaches; weights of the head come from a table; the picture is enlarged once and then sampled
  linearly, which has 53 dB of PSNR against cubic sampling. The solid shape of the head is inverted once. What moves is
  bounded by the outline of the head, and a side of the picture that it does not reach is not looked at. The views above
  and below an opening meet in one map, so the picture is sampled once.
- In a pool, `whisper` computes each step of a layer once, for all sessions in one product, and keys and values are
  appended in place. `causal-flow` draws noise for a second at a time, and computes what the flow takes from its
  context for all steps at once.
- Sequences reach linear layers contiguous, because torch multiplies others one by one where weights are frozen.
"""

if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    PAGE.write_text(INTRODUCTION + "\n".join(rows()) + "\n" + READING, "utf-8")
    print(PAGE)
