"""What the page says beside its figures; no number that was measured stands here."""

TITLES = {
    "ablation-grid": "Figure 5 of the paper, on recordings",
    "ablation-synthetic": "Figure 5 of the paper, where the causes are known",
    "branches-grid": "What may hide the branches, on recordings",
    "branches-synthetic": "What may hide the branches, where the causes are known",
    "length": "Do errors add up?",
    "weights": "The share of the sync loss",
    "swap": "Another representation by one line",
}
MISSING = "Not run."
NAMES = {
    "confidence": "AV-Conf",
    "distance": "least distance",
    "offset": "size of AV-Offset, frames of the level",
    "cosine": "mean cosine",
}
COMPARED = {"confidence": 1, "distance": -1}
"""Figures by which variants are compared; -1 where less is better."""
BRANCHES = "a generator with branches at four scales is ahead of one with a single branch"
CLAIMS = {
    ("full", "single-scale-generator"): BRANCHES,
    ("full", "single-scale"): "generator and loss at four scales are ahead of both at one",
    ("single-scale-generator", "single-scale"): "the loss at four scales alone is ahead of the loss at one",
    ("full, on time", "single-scale-generator"): f"{BRANCHES}, if its coarser levels come on time",
    ("full", "single-scale-generator, deaf LSTM"): f"{BRANCHES}, if that one's LSTM hears no speech",
    ("full, on time", "single-scale-generator, deaf LSTM"): f"{BRANCHES}, if both is so",
}
"""What a pair of variants puts to the test."""
INTRODUCTION = """\
The size is `{size.name}`: {size.seeds} seeds of each variant where scales are compared and {size.few} elsewhere,
{steps} steps of the generator, {size.judge_steps} of each pyramid of syncers that is trained here, and {size.unseen}
clips of each corpus that nobody was trained on. The paper trains large networks for 75 000 steps; this is what its
idea does for small ones in their first minutes."""
SETTINGS = {
    "ablation-grid": """\
One speaker of the GRID corpus, sentences that were not trained on. `full` has generator and loss at four scales;
`single-scale-generator` one branch over the finest audio level, which its LSTM hears as well (as in the authors' code),
and the loss of four scales; `single-scale` the same generator, and the loss of the finest scale alone. All three share
one pyramid of syncers, batches and seeds. The paper's expectation: equal at the finest level, `single-scale` behind at
the coarser ones. This speaker's sentences are built alike, from silence to silence: at the coarse levels one fits
another's face nearly as well (*recordings, other speech*), so that there the distance says more than AV-Conf.""",
    "ablation-synthetic": """\
The same over the synthetic corpus, whose speakers are all different and whose validation speakers nobody was trained
on.""",
    "branches-grid": """\
Two things may hide what branches at four scales are worth. The LSTM of the single-scale generator hears the finest
audio vectors, and its memory may do what coarser levels do: `deaf LSTM` takes that away. And the small preset streams,
so that its coarser levels come one step of theirs late: `on time` interpolates between neighbors, as in the paper.""",
    "branches-synthetic": "The same over the synthetic corpus.",
    "length": """\
The full model trained on 40 and on 80 generated frames, then given a minute of speech of unseen synthetic speakers:
1500 frames on its own. `free` integrates velocities as the paper does; `anchored` takes back a fifth of the offset from
the first pose in each frame, which is what the small preset does.""",
    "weights": "The full model on the synthetic corpus with the sync loss weighted 0 to 8; the recipes have 4.",
    "swap": """\
The recipe of the full model and its syncers, trained on the synthetic corpus as 24 plain points whose meaning nothing
in the model knows. What changes in the recipe is one line:""",
}
CAUSES = """\
Syncers may be wrong together. The synthetic corpus says what moved the recorded face: lips follow phones, nods follow
accents, the posture of the head follows the phrase. These correlations involve no syncer. Other clips' causes are the
floor: speech has much in common. Seeds stand beside each other because synchrony has no sign: a mouth that closes where
it should open is in time as well, and where the sync loss alone ties motion to speech, nothing else forbids it."""
PROTOCOL = """\
## How it is measured

- **What ties motion to speech.** Of all terms of the losses only the sync loss knows which motion belongs to which
  speech. The discriminators see motion alone, as in the paper, and `spread` compares a whole batch with another. The
  recipes had a reconstruction loss before; it hands lips their answer frame by frame, at the finest scale, and drowns
  what an ablation of scales wants to see.
- **Judges.** What measures was never in a loss: another pyramid of syncers, trained by SyncNet's margin of distances
  instead of InfoNCE. AV-Conf is median minus minimum of the curve of mean distances over shifts of up to 15 windows or
  half of them, the distance its minimum, AV-Offset the shift of the minimum; only pairs of windows that exist are
  averaged. Each clip starts from its first recorded frame and hears its own speech.
- **Other speech.** The same motion beside the speech of another clip: what synchrony is worth by chance.
- **Intervals.** 95 %, bootstrap over seeds and clips, crossed; differences are taken clip by clip and seed by seed.
  With three seeds or two the part of the seeds is rough.
- **Causes.** `benchmarks/reproduction/scales.py` says which curve is compared with which, and in which band.
- **Drift.** `benchmarks/reproduction/drift.py`; of the seeds, mean with least and greatest.
- **What was chosen after looking.** The recipes of the ablation were settled on shorter exploratory runs over the
  synthetic corpus; the comparison by distance, and the claims that pairs of variants put to the test, were written
  after the first table on recordings.

A run whose result exists is not made again, and one that was cut short goes on from its last saved step. The recipes
are those of `headmotion train ablation/full` and its two siblings.
"""
