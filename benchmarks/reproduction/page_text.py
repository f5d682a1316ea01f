"""Text of docs/results.md, without any measured value."""

TITLES = {
    "ablation-grid": "Figure 5 of the paper, on recordings",
    "ablation-synthetic": "Figure 5 of the paper, where the causes are known",
    "branches-grid": "What may hide the benefit of branches, on recordings",
    "branches-synthetic": "What may hide the benefit of branches, where the causes are known",
    "length": "Do errors add up?",
    "weights": "The weight of the sync loss",
    "swap": "Another representation by one line",
}
MISSING = "Not run."
NAMES = {
    "confidence": "AV-Conf",
    "distance": "least distance",
    "offset": "absolute AV-Offset, frames of the level",
    "cosine": "mean cosine",
}
COMPARED = {"confidence": 1, "distance": -1}
"""Metrics by which variants are compared; -1 where less is better."""
BRANCHES = "a generator with branches at four scales is ahead of one with a single branch"
CLAIMS = {
    ("full", "single-scale-generator"): BRANCHES,
    ("full", "single-scale"): "generator and loss at four scales are ahead of both at one",
    ("single-scale-generator", "single-scale"): "the loss at four scales alone is ahead of the loss at one",
    ("full, on time", "single-scale-generator"): f"{BRANCHES}, if its coarser levels are on time",
    ("full", "single-scale-generator, LSTM without audio"): f"{BRANCHES}, if that one's LSTM reads no audio",
    ("full, on time", "single-scale-generator, LSTM without audio"): f"{BRANCHES}, under both conditions",
}
"""What a pair of variants tests."""
INTRODUCTION = """\
The size is `{size.name}`: {size.seeds} seeds of each variant where scales are compared and {size.fewer_seeds}
elsewhere, {steps} steps of the generator, {size.judge_steps} of each pyramid of syncers that is trained here, and
{size.unseen} clips of each corpus that no model was trained on. The paper trains large networks for 75 000 steps;
this is what its idea does for small ones in their first minutes."""
SETTINGS = {
    "ablation-grid": """\
One speaker of the GRID corpus, sentences that were not trained on. `full` has generator and loss at four scales.
`single-scale-generator` has one branch over the finest audio level, which is also an input of its LSTM (as in the
authors' code), and the loss at four scales. `single-scale` has the same generator, and the loss at the finest scale
only. All three share one pyramid of syncers, batches and seeds. The paper expects them to be equal at the finest
level, and `single-scale` to be behind at the coarser ones. This speaker's sentences all have the same structure, from
silence to silence. At the coarse levels one sentence then fits another's face nearly as well (*recordings, other
speech*), so there the distance means more than AV-Conf.""",
    "ablation-synthetic": """\
The same over the synthetic corpus, whose speakers are all different. No model was trained on its validation
speakers.""",
    "branches-grid": """\
Two things may hide the benefit of branches at four scales. The LSTM of the single-scale generator reads the finest
audio vectors, and its memory may do what coarser levels do: `LSTM without audio` takes that away. And the small
preset streams, so its coarser levels are one coarse step late: `on time` interpolates between neighbors, as in the
paper.""",
    "branches-synthetic": "The same over the synthetic corpus.",
    "length": """\
The full model is trained on 40 and on 80 generated frames. It then generates a minute, 1500 frames, from speech of
unseen synthetic speakers. `free` integrates velocities as the paper does. `anchored` subtracts a fifth of the offset
from the first pose in each frame, as the small preset does.""",
    "weights": "The full model on the synthetic corpus with the sync loss weighted 0 to 8; the recipes have 4.",
    "swap": """\
The full model and its syncers are trained on the synthetic corpus as 24 plain points, whose meaning is unknown to the
model. One line of the recipe changes:""",
}
CAUSES = """\
All syncers may make the same mistake. For the synthetic corpus the causes of the recorded motion are known: lips
follow phones, nods follow accents, and the posture of the head follows the phrase. These correlations involve no
syncer. The causes of other clips are the floor, because all speech has much in common. The table lists single seeds
because synchrony has no sign: a mouth that closes when it should open is in time as well, and nothing forbids it if
only the sync loss relates motion to speech."""
PROTOCOL = """\
## How it is measured

- **What relates motion to speech.** Only the sync loss depends on which motion belongs to which speech. The
  discriminators see only motion, as in the paper, and `spread` compares whole batches. Earlier recipes had a
  reconstruction loss. It gives lips their target at every frame, at the finest scale, and hides the effect of the
  other scales.
- **Judges.** The syncers that measure are in no loss: they are another pyramid, trained by SyncNet's margin of
  distances instead of InfoNCE. AV-Conf is the median minus the minimum of the curve of mean distances over shifts,
  the distance is its minimum, and AV-Offset is the shift of the minimum. Shifts go up to 15 windows, or half of all
  windows, and only pairs of existing windows are averaged. Each clip starts from its first recorded frame and uses
  its own speech.
- **Other speech.** The same motion with the speech of another clip: the synchrony at chance.
- **Intervals.** 95 %, bootstrap over seeds and clips, crossed; differences are per clip and seed. With two or three
  seeds the part of the seeds is rough.
- **Causes.** `cause_correlations` in `benchmarks/reproduction/motion_metrics.py` states the curves and their bands.
- **Drift.** `drift` in `benchmarks/reproduction/motion_metrics.py`; the table has mean, minimum and maximum over
  seeds.
- **What was decided after looking.** The recipes of the ablation were chosen by shorter exploratory runs over the
  synthetic corpus. The comparison by distance, and the claims that pairs of variants test, were written after the
  first table on recordings.

A run whose result exists is not made again, and an interrupted run is resumed from its last saved step. The recipes
are those of `headmotion train ablation/full` and its two siblings."""
