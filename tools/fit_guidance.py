"""Give a trained `causal-flow` model the weights that guidance needs, and leave all others as they are.

    python tools/fit_guidance.py CORPUS MODEL OUTPUT

What the flow gets where it does without the speech is fitted by the flow's own error; no sound is read for that. A
model that is trained with ``condition_dropout`` has it already.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

import headmotion as hm
from headmotion.causal_flow.generator import CausalFlowGenerator
from headmotion.core.checkpoint import read_header
from headmotion.core.plugins import registry
from headmotion.core.progress import track
from headmotion.data.corpus import open_corpus
from headmotion.training.batches import MOTION, Batches
from headmotion.training.recipe import load_recipe

SHARE = 0.1
"""The model's ``condition_dropout``, as if it had been trained with it."""
ALWAYS = 1 - 1e-6
"""While fitting, no frame has the speech."""
FRAMES, STEPS, RATE = 60, 1500, 3e-3
"""Frames of a clip, steps, and the learning rate at their beginning."""


def with_guidance(pipe: hm.Pipeline) -> hm.Pipeline:
    """Return a copy whose generator has the additional weights, not fitted yet."""
    own = pipe.spec.generator
    spec = pipe.spec.model_copy(update={"generator": own.model_copy(update={"condition_dropout": SHARE})})
    wider = hm.Pipeline(spec, "cpu", pipe.card)
    missing, unexpected = wider.load_state_dict(pipe.state_dict(), strict=False)
    assert not unexpected and all(".unconditional." in name for name in missing), (missing, unexpected)
    return wider


def fit(pipe: hm.Pipeline, corpus: Path) -> float:
    """Fit the additional weights, and return the mean error of the flow in the last tenth of the steps."""
    generator = pipe.generator
    assert isinstance(generator, CausalFlowGenerator)
    fitting = generator.with_settings(condition_dropout=ALWAYS).eval()  # shares the weights
    clips = open_corpus(corpus).select(split="train", distributable=True)
    data = load_recipe("causal-flow").data.model_copy(update={"feature_cache": None, "feature_lead_s": 0.0})
    batches = Batches(clips, data, pipe.audio_encoder, generator.context, FRAMES, 0, context_frames=1, tracks=MOTION)
    for weight in fitting.parameters():
        weight.requires_grad_(False)
    trained = [weight.requires_grad_(True) for weight in fitting.unconditional.parameters()]  # type: ignore[union-attr]
    optimizer = torch.optim.Adam(trained, RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    errors = []
    for step in track(range(STEPS), "guidance", STEPS):
        sample = batches(step).sample
        silent = torch.zeros(len(sample.motion), generator.steps_per_frame * FRAMES, generator.context.audio_channels)
        error = fitting.training_terms(replace(sample, audio=silent), step, step)["flow"]
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        errors.append(float(error.detach()))
    with torch.no_grad():
        for fitted, weight in zip(trained, generator.unconditional.parameters(), strict=True):  # type: ignore[union-attr]
            weight.copy_(fitted)
    return sum(errors[-STEPS // 10 :]) / (STEPS // 10)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", help="a bundled name or a file")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    source = registry().models.get(arguments.model, Path(arguments.model))
    model = with_guidance(hm.load(source, device="cpu"))
    print(f"flow's error without the speech: {fit(model, arguments.corpus):.4f}")
    card = {"guidance": "weights of `unconditional` fitted afterwards by tools/fit_guidance.py"}
    model.save(arguments.output, step=read_header(source).step, card=card)
