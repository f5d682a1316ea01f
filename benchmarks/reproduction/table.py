"""What is shown: every experiment as a table of variants, each a few runs that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from headmotion.core.checkpoint import read_header
from headmotion.training.recipe import RecipeSpec, load_recipe

from .corpora import Plan, Points, Recorded, Synthetic
from .digests import digest, stated


@dataclass(frozen=True)
class Size:
    """How much is spent on the proof."""

    name: str
    clips: int
    """Of the synthetic corpus."""
    unseen: int
    """Clips of each corpus that models are measured on."""
    judge_steps: int
    """Optimizer steps of a pyramid of syncers."""
    marks: tuple[int, ...]
    """Steps of the generator after which it is measured; the last ends the run."""
    seeds: int
    """Runs of each variant of the main experiments."""
    few: int
    """Runs of each variant of the others."""
    overrides: tuple[str, ...] = ()
    """Changes of every recipe."""


SIZES = {
    size.name: size
    for size in (
        Size("quick", 450, 45, 350, (20, 40, 80, 160), 3, 3),
        Size("full", 1200, 100, 1000, (50, 100, 200, 400), 5, 3),
    )
}


@dataclass(frozen=True)
class Judge:
    """A pyramid of syncers to be trained, to guide generators or to measure them."""

    name: str
    corpus: Plan
    recipe: str
    seed: int
    overrides: tuple[str, ...] = ()
    given: Path | None = None
    """A file of syncers that were trained before, which takes the place of all this."""

    @cached_property
    def resolved(self) -> RecipeSpec:
        """The recipe with all changes."""
        return load_recipe(self.recipe, [*QUIET, *self.overrides, f"seed={self.seed}", "generator.steps=0"])

    @cached_property
    def key(self) -> str:
        """A digest of all that the result depends on but the code."""
        if self.given is not None:
            return read_header(self.given).sha256
        return digest({"corpus": self.corpus.key, "recipe": stated(self.resolved)})


@dataclass(frozen=True)
class Run:
    """A generator to be trained."""

    name: str
    corpus: Plan
    recipe: str
    seed: int
    marks: tuple[int, ...]
    guide: Judge
    """The syncers of its loss."""
    metric: Judge
    """The syncers that measure it."""
    overrides: tuple[str, ...] = ()

    def resolved(self, mark: int) -> RecipeSpec:
        """The recipe with all changes, up to a mark."""
        return load_recipe(self.recipe, [*QUIET, *self.overrides, f"seed={self.seed}", f"generator.steps={mark}"])

    @cached_property
    def key(self) -> str:
        """A digest of all that the result depends on but the code."""
        recipe = stated(self.resolved(self.marks[-1]))
        return digest({"corpus": self.corpus.key, "recipe": recipe, "marks": self.marks, "guide": self.guide.key})


QUIET = ("preview_every=0", "save_every=50")


@dataclass(frozen=True)
class Experiment:
    """Variants that differ in one thing."""

    name: str
    corpus: Plan
    variants: Mapping[str, Sequence[Run]]

    @property
    def runs(self) -> list[Run]:
        """All of them, the first seed of each variant first, so that they can be compared as early as may be."""
        return sorted((run for runs in self.variants.values() for run in runs), key=lambda run: run.seed)


@dataclass(frozen=True)
class Field:
    """A corpus with its two judges, on which runs are declared."""

    corpus: Plan
    size: Size
    representation: str = "landmarks68"
    """As a recipe has it, in one line."""
    given: Mapping[str, Path] = field(default_factory=dict, hash=False)
    """Files of syncers that were trained before, by the name of the judge that they are."""

    @cached_property
    def guide(self) -> Judge:
        """Trained for the loss."""
        return self._judge("guide", "ablation/full", 1)

    @cached_property
    def metric(self) -> Judge:
        """Trained apart from it, for measuring."""
        changes = ("syncers.frames=72", "syncers.windows_per_clip=2", "data.distributable_only=false")
        return self._judge("metric", "metric-syncers", 2, *changes)

    def _judge(self, role: str, recipe: str, seed: int, *changes: str) -> Judge:
        overrides = (f"syncers.steps={self.size.judge_steps}", *changes, *self._common)
        name = f"{self.corpus.name}-{role}"
        return Judge(name, self.corpus, recipe, seed, overrides, self.given.get(name))

    @property
    def _common(self) -> tuple[str, ...]:
        return (*self.size.overrides, f"pipeline.representation={self.representation}")

    def runs(self, variant: str, recipe: str = "ablation/full", *changes: str, seeds: int) -> tuple[Run, ...]:
        """A variant: the same recipe from several seeds."""
        start = Run("", self.corpus, recipe, 0, self.size.marks, self.guide, self.metric, (*self._common, *changes))
        return tuple(replace(start, name=f"{self.corpus.name}-{variant}-{seed}", seed=seed) for seed in range(seeds))


ABLATION = ("full", "single-scale-generator", "single-scale")
WEIGHTS = (0, 1, 2, 4, 8)
"""Of the sync loss; 4 is that of the recipes."""
LONG = 80
"""Frames; the recipes have 40."""
KEPT = (8, 17, 21, 22, 26, 27, 30, 33, 36, 39, 42, 45, 48, 50, 51, 52, 54, 56, 57, 58, 60, 62, 64, 66)
"""Landmarks that the swapped representation keeps, as points that mean nothing to it."""
MIRROR = (0, 4, 3, 2, 1, 5, 6, 7, 11, 10, 9, 8, 16, 15, 14, 13, 12, 19, 18, 17, 22, 21, 20, 23)
SWAP = f"{{type: keypoints, points: {len(KEPT)}, mirror: {list(MIRROR)}, scale_pair: [8, 11]}}"


def experiments(size: Size, clips: Path | None, given: Mapping[str, Path] | None = None) -> list[Experiment]:
    """All experiments, the most important first.

    Args:
        clips: the folder of recorded clips; without it, the synthetic experiments alone.
        given: files of syncers that were trained before, by the name of the judge (``grid-guide`` ...).
    """
    given = given or {}
    synthetic = Synthetic("synthetic", size.clips)
    made = Field(synthetic, size, given=given)
    recorded = [Field(Recorded("grid", clips / "grid_s1"), size, given=given)] if clips else []
    swapped = Field(Points("keypoints", synthetic, KEPT), size, SWAP, given)
    return [
        *(ablation(field) for field in [*recorded, made]),
        *(branches(field) for field in [*recorded, made]),
        lengths(made),
        weights(made),
        Experiment("swap", swapped.corpus, {"keypoints": swapped.runs("full", seeds=size.few)}),
    ]


def ablation(field: Field) -> Experiment:
    """Figure 5 of the paper."""
    variants = {name: field.runs(name, f"ablation/{name}", seeds=field.size.seeds) for name in ABLATION}
    return Experiment(f"ablation-{field.corpus.name}", field.corpus, variants)


def branches(field: Field) -> Experiment:
    """What might make up for branches at four scales, or keep them from showing: each taken away."""
    single, linear = "ablation/single-scale-generator", "pipeline.generator.interpolation=linear"
    seeds = field.size.seeds
    variants = {
        "full": field.runs("full", seeds=seeds),
        "full, on time": field.runs("full-linear", "ablation/full", linear, seeds=seeds),
        "single-scale-generator": field.runs("single-scale-generator", single, seeds=seeds),
        "single-scale-generator, deaf LSTM": field.runs(
            "single-scale-deaf", single, "pipeline.generator.lstm_input=pose", seeds=seeds
        ),
    }
    return Experiment(f"branches-{field.corpus.name}", field.corpus, variants)


def lengths(field: Field) -> Experiment:
    """Trained on longer sequences; with and without the anchor, which the paper does not have."""
    variants = {}
    for anchor, name in (("", "anchored"), ("pipeline.generator.anchor=0", "free")):
        for frames in (40, LONG):
            changes = [f"generator.frames={frames}"] * (frames == LONG) + [anchor] * bool(anchor)
            label = "-".join(["full", *([str(frames)] * (frames == LONG)), *([name] * bool(anchor))])
            variants[f"{name}, {frames} frames"] = field.runs(label, "ablation/full", *changes, seeds=field.size.few)
    return Experiment("length", field.corpus, variants)


def weights(field: Field) -> Experiment:
    """More and less of the sync loss."""
    variants = {}
    for weight in WEIGHTS:
        losses = f"generator.losses=[{{type: sync, weight: {weight}.0, hop: 2}}, {{type: spread, weight: 1.0}}]"
        label, changes = ("full", []) if weight == 4 else (f"weight{weight}", [losses])
        variants[str(weight)] = field.runs(label, "ablation/full", *changes, seeds=field.size.few)
    return Experiment("weights", field.corpus, variants)
