"""Make the bundled model ``au/units`` of a run: from speech to action units, drawn as bars.

    python plugins/headmotion-au/benchmarks/pack_units.py runs/au/model.safetensors

The renderer is left out; only the networks that predict units from speech are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import headmotion as hm
from headmotion.core.checkpoint import load_checkpoint

MODEL = Path(__file__).parents[1] / "src" / "headmotion_au" / "models" / "units.safetensors"
PREFIX, PHASE = "generator.", "audio-to-au"


def main() -> None:
    """Pack the model that the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("model", type=Path, help="model of the recipe au/grid or au/small")
    arguments = parser.parse_args()
    header, tensors = load_checkpoint(arguments.model)
    spec = dict(header.spec) | {"renderer": {"type": "skeleton"}}
    pipe = hm.build(spec, device="cpu")
    own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    pipe.generator.load_state_dict(own)
    recipe = dict(header.card["recipe"])
    phase = recipe["phases"][PHASE]
    recipe["phases"], recipe["pipeline"] = {PHASE: phase}, pipe.spec.model_dump(mode="json")
    # The run's time is that of all phases, most of which are not in the model.
    facts = {name: value for name, value in header.card.items() if name != "training_seconds"}
    card = facts | {"name": "au-units", "recipe": recipe, "phases": [PHASE], "units": "geometry of landmarks"}
    pipe.card = card
    MODEL.parent.mkdir(exist_ok=True)
    print(pipe.save(MODEL, step=phase["steps"]))


if __name__ == "__main__":
    main()
