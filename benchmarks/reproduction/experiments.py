"""All experiments: tables of variants, each with a few runs that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from headmotion.core.checkpoint import read_header
from headmotion.training.recipe import RecipeSpec, load_recipe

from .corpora import CorpusPlan, Points, Recorded, Synthetic, digest, non_default_values


@dataclass(frozen=True)
class Size:
    """How much is spent on the experiments."""

    name: str
    clips: int
    """Clips of the synthetic corpus."""
    unseen: int
    """Clips of each corpus on which models are measured."""
    judge_steps: int
    """Optimizer steps of a pyramid of syncers."""
    marks: tuple[int, ...]
    """Steps of the generator after which it is measured; the last ends the run."""
    seeds: int
    """Runs of each variant of the main experiments."""
    fewer_seeds: int
    """Runs of each variant of the other experiments."""
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
    """A pyramid of syncers that guides generators or measures them."""

    name: str
    corpus: CorpusPlan
    recipe: str
    seed: int
    overrides: tuple[str, ...] = ()
    file: Path | None = None
    """Syncers that were trained before and are used instead."""

    @cached_property
    def resolved(self) -> RecipeSpec:
        """The recipe with all changes."""
        recipe = load_recipe(self.recipe, [*COMMON, *self.overrides, f"seed={self.seed}"])
        return recipe.model_copy(update={"phases": {"syncers": recipe.phases["syncers"]}})

    @cached_property
    def key(self) -> str:
        """A digest of everything but the code that the result depends on."""
        if self.file is not None:
            return read_header(self.file).sha256
        return digest({"corpus": self.corpus.key, "recipe": non_default_values(self.resolved)})


@dataclass(frozen=True)
class GeneratorRun:
    """The training of one generator."""

    name: str
    corpus: CorpusPlan
    recipe: str
    seed: int
    marks: tuple[int, ...]
    guide: Judge
    """The syncers of its loss."""
    metric: Judge
    """The syncers that measure it."""
    overrides: tuple[str, ...] = ()

    def resolved(self, mark: int) -> RecipeSpec:
        """Return the recipe with all changes, for steps up to a mark."""
        changes = [*COMMON, *self.overrides, f"seed={self.seed}", f"phases.generator.steps={mark}"]
        return load_recipe(self.recipe, changes)

    @cached_property
    def key(self) -> str:
        """A digest of everything but the code that the result depends on."""
        recipe = non_default_values(self.resolved(self.marks[-1]))
        return digest({"corpus": self.corpus.key, "recipe": recipe, "marks": self.marks, "guide": self.guide.key})


COMMON = ("preview_every=0", "save_every=50")


@dataclass(frozen=True)
class Experiment:
    """Variants that differ in one thing."""

    name: str
    corpus: CorpusPlan
    variants: Mapping[str, Sequence[GeneratorRun]]

    @property
    def runs(self) -> list[GeneratorRun]:
        """All runs, the first seed of each variant first, so that variants can be compared early."""
        return sorted((run for runs in self.variants.values() for run in runs), key=lambda run: run.seed)


@dataclass(frozen=True)
class CorpusSetup:
    """A corpus with its two judges, for which runs are declared."""

    corpus: CorpusPlan
    size: Size
    representation: str = "landmarks68"
    """Of the pipeline, as YAML in one line."""
    files: Mapping[str, Path] = field(default_factory=dict, hash=False)
    """Files of syncers that were trained before, by the name of the judge."""

    @cached_property
    def guide(self) -> Judge:
        """The judge in the loss."""
        return self._judge("guide", "ablation/full", 1)

    @cached_property
    def metric(self) -> Judge:
        """The judge that measures, trained separately."""
        changes = ("phases.syncers.frames=72", "phases.syncers.windows_per_clip=2")
        return self._judge("metric", "metric-syncers", 2, *changes)

    def _judge(self, role: str, recipe: str, seed: int, *changes: str) -> Judge:
        overrides = (f"phases.syncers.steps={self.size.judge_steps}", *changes, *self._common)
        name = f"{self.corpus.name}-{role}"
        return Judge(name, self.corpus, recipe, seed, overrides, self.files.get(name))

    @property
    def _common(self) -> tuple[str, ...]:
        return (*self.size.overrides, f"pipeline.representation={self.representation}")

    def runs(self, variant: str, recipe: str = "ablation/full", *changes: str, seeds: int) -> tuple[GeneratorRun, ...]:
        """Return a variant: the same recipe with several seeds."""
        template = GeneratorRun(
            "", self.corpus, recipe, 0, self.size.marks, self.guide, self.metric, (*self._common, *changes)
        )
        return tuple(replace(template, name=f"{self.corpus.name}-{variant}-{seed}", seed=seed) for seed in range(seeds))


ABLATION = ("full", "single-scale-generator", "single-scale")
WEIGHTS = (0, 1, 2, 4, 8)
"""Weights of the sync loss; the recipes have 4."""
LONG_FRAMES = 80
"""Generated frames; the recipes have 40."""
KEYPOINTS = (8, 17, 21, 22, 26, 27, 30, 33, 36, 39, 42, 45, 48, 50, 51, 52, 54, 56, 57, 58, 60, 62, 64, 66)
"""Landmarks of the other representation, whose points have no meaning to it."""
KEYPOINTS_MIRROR = (0, 4, 3, 2, 1, 5, 6, 7, 11, 10, 9, 8, 16, 15, 14, 13, 12, 19, 18, 17, 22, 21, 20, 23)
KEYPOINTS_SPEC = f"{{type: keypoints, points: {len(KEYPOINTS)}, mirror: {list(KEYPOINTS_MIRROR)}, scale_pair: [8, 11]}}"


def experiments(size: Size, clips: Path | None, files: Mapping[str, Path] | None = None) -> list[Experiment]:
    """Return all experiments, the most important first.

    Args:
        size: how much is spent.
        clips: folder of recorded clips; None leaves out the experiments that need it.
        files: syncers that were trained before, by the name of the judge (``grid-guide`` ...).
    """
    files = files or {}
    synthetic = Synthetic("synthetic", size.clips)
    synthetic_setup = CorpusSetup(synthetic, size, files=files)
    recorded = [CorpusSetup(Recorded("grid", clips / "grid_s1"), size, files=files)] if clips else []
    keypoints = CorpusSetup(Points("keypoints", synthetic, KEYPOINTS), size, KEYPOINTS_SPEC, files)
    return [
        *(ablation(setup) for setup in [*recorded, synthetic_setup]),
        *(branches(setup) for setup in [*recorded, synthetic_setup]),
        lengths(synthetic_setup),
        weights(synthetic_setup),
        Experiment("swap", keypoints.corpus, {"keypoints": keypoints.runs("full", seeds=size.fewer_seeds)}),
    ]


def ablation(setup: CorpusSetup) -> Experiment:
    """Return figure 5 of the paper."""
    variants = {name: setup.runs(name, f"ablation/{name}", seeds=setup.size.seeds) for name in ABLATION}
    return Experiment(f"ablation-{setup.corpus.name}", setup.corpus, variants)


def branches(setup: CorpusSetup) -> Experiment:
    """Return what might hide the benefit of branches at four scales, with each possible reason taken away."""
    single, linear = "ablation/single-scale-generator", "pipeline.generator.interpolation=linear"
    seeds = setup.size.seeds
    variants = {
        "full": setup.runs("full", seeds=seeds),
        "full, on time": setup.runs("full-linear", "ablation/full", linear, seeds=seeds),
        "single-scale-generator": setup.runs("single-scale-generator", single, seeds=seeds),
        "single-scale-generator, LSTM without audio": setup.runs(
            "single-scale-lstm-pose", single, "pipeline.generator.lstm_input=pose", seeds=seeds
        ),
    }
    return Experiment(f"branches-{setup.corpus.name}", setup.corpus, variants)


def lengths(setup: CorpusSetup) -> Experiment:
    """Return training on longer sequences, with and without the anchor, which the paper does not have."""
    variants = {}
    for anchor, name in (("", "anchored"), ("pipeline.generator.anchor=0", "free")):
        for frames in (40, LONG_FRAMES):
            changes = [f"phases.generator.frames={frames}"] * (frames == LONG_FRAMES) + [anchor] * bool(anchor)
            label = "-".join(["full", *([str(frames)] * (frames == LONG_FRAMES)), *([name] * bool(anchor))])
            variants[f"{name}, {frames} frames"] = setup.runs(
                label, "ablation/full", *changes, seeds=setup.size.fewer_seeds
            )
    return Experiment("length", setup.corpus, variants)


def weights(setup: CorpusSetup) -> Experiment:
    """Return weights of the sync loss."""
    variants = {}
    for weight in WEIGHTS:
        losses = f"phases.generator.losses=[{{type: sync, weight: {weight}.0, hop: 2}}, {{type: spread, weight: 1.0}}]"
        label, changes = ("full", []) if weight == 4 else (f"weight{weight}", [losses])
        variants[str(weight)] = setup.runs(label, "ablation/full", *changes, seeds=setup.size.fewer_seeds)
    return Experiment("weights", setup.corpus, variants)
