"""The runs of an ablation: every variant with every seed, each in a folder that is named by what it is made from."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from headmotion.training.trainer import train

from .protocol import Variants

MODEL, SYNCERS, STATE = "model.safetensors", "syncers.safetensors", "state.safetensors"


class Runs:
    """Trained runs of a protocol in a folder. What is finished is not trained again, and what was stopped goes on.

    The name of a run's folder has a digest of the recipe's file, its changes and the corpus, so that a protocol that is
    changed has other runs: values of one table are always of one protocol, trained to its end.
    """

    def __init__(self, protocol: Variants, corpus: Path, folder: Path) -> None:
        self.protocol, self.corpus, self.folder = protocol, corpus, folder
        self.data = hashlib.sha256((corpus / "corpus.json").read_bytes()).hexdigest()
        # All recipes are read before the first is trained, so that a mistake in the last one costs no time.
        self.recipes = {
            (name, seed): protocol.spec_of(name, seed) for name in protocol.variants for seed in protocol.seeds
        }

    def models(self) -> dict[str, list[Path]]:
        """Return the models of each variant, one per seed, trained if they are not there."""
        models: dict[str, list[Path]] = {name: [] for name in self.protocol.variants}
        # Seed after seed, so that a whole table stands after half of the time.
        for seed in self.protocol.seeds:
            for name in models:
                models[name].append(self._model(name, seed))
        return models

    def _model(self, variant: str, seed: int) -> Path:
        run = self.folder_of(variant, seed)
        if not (run / MODEL).exists():
            print(f"{variant}, seed {seed}: {run}", flush=True)
            resume = (run / STATE).exists()
            train(self.recipes[variant, seed], [self.corpus], run, resume=resume, syncers=self._syncers(run))
        return run / MODEL

    def _syncers(self, run: Path) -> Path | None:
        """Return the file of syncers that the first run trained, for the others."""
        first = self.folder_of(*next(iter(self.recipes)))
        return first / SYNCERS if self.protocol.share_syncers and run != first else None

    def folder_of(self, variant: str, seed: int) -> Path:
        """Return the folder of a run."""
        made_from = [self.data, self.protocol.recipe_text, *self.protocol.changes(variant, seed)]
        if self.protocol.share_syncers:
            made_from += self.protocol.changes(*next(iter(self.recipes)))
        digest = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:12]
        return self.folder / f"{re.sub('[^a-z0-9]+', '-', variant.lower()).strip('-')}-seed{seed}-{digest}"
