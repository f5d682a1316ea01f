"""Make the bundled model ``au/grid``: the renderer of a run, and the networks of ``au/units``.

    python plugins/headmotion-au/benchmarks/pack_grid.py runs/au/model.safetensors

The phases ``audio-to-au`` and ``images`` of ``au/grid`` do not depend on each other, so the run may leave the former
out (``--set phases.audio-to-au.steps=0``). Weights are rounded to float16; it prints by how much pictures change so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import headmotion as hm
from headmotion.core.checkpoint import save_checkpoint

MODEL = Path(__file__).parents[1] / "src" / "headmotion_au" / "models" / "grid.safetensors"
SOURCES = ["GRID speakers s1 and s4 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)"]
UNITS_MODEL, PHASE = "au/units", "audio-to-au"


def pack(path: str) -> Path:
    """Write the model."""
    model, units_model = (hm.load(name, device="cpu") for name in (path, UNITS_MODEL))
    model.generator.load_state_dict(units_model.generator.state_dict())
    recipe = model.card["recipe"]
    phases = {PHASE: units_model.card["recipe"]["phases"][PHASE]} | {
        name: phase for name, phase in recipe["phases"].items() if name != PHASE
    }
    card = model.card | {
        "name": "au-grid",
        "units": units_model.card["units"],
        "sources": SOURCES,
        "phases": list(phases),
        "recipe": recipe | {"phases": phases},
    }
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    spec = model.spec.model_dump(mode="json")
    packed = save_checkpoint(MODEL, spec, tensors, step=phases["images"]["steps"], card=card)
    print(packed, f"{packed.stat().st_size / 1e6:.1f} MB, pictures change by {rounding(model):.2f} of 255 at most")
    return packed


@torch.no_grad()
def rounding(model: hm.Pipeline) -> float:
    """Return the largest difference of pictures by the stored model from those of the one in memory, in levels."""
    torch.manual_seed(0)
    renderer = model.renderer
    still = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), renderer.training_picture_size, mode="bicubic")
    units, (before, after) = torch.rand(1, 8, 5, 1), renderer.audio_context
    features = torch.randn(1, model.spec.steps_per_frame * (before + 8 + after), 13)
    drawn = [
        part.renderer.eval().pictures(still.clamp(0, 1), units[:, 0], units, features)["frames"]
        for part in (model, hm.load(MODEL, device="cpu"))
    ]
    return float(255 * (drawn[0] - drawn[1]).abs().max())


def main() -> None:
    """Pack the model that the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("model", help="model of a run of the recipe au/grid")
    pack(parser.parse_args().model)


if __name__ == "__main__":
    main()
