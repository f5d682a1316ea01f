"""Join a trained VG-net and a trained AT-net, of two runs of one recipe, into one model.

    python plugins/headmotion-atvg/benchmarks/pack_model.py RENDERER GENERATOR -o model.safetensors

The phases of ``atvg/grid`` do not depend on each other, so each may be trained in a run of its own: with
``--set phases.at-net.steps=0 --set phases.basis.steps=0``, and with ``--set phases.vg-net.steps=0``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import headmotion as hm


def main() -> None:
    """Join the models that the command line names."""
    parser = argparse.ArgumentParser(description="Join the networks of two runs.")
    parser.add_argument("renderer", help="model whose renderer is taken")
    parser.add_argument("generator", help="model whose generator is taken")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the new model")
    given = parser.parse_args()
    model, other = (hm.load(name, device="cpu") for name in (given.renderer, given.generator))
    model.generator.load_state_dict(other.generator.state_dict())
    seconds = sum(int(part.card["training_seconds"]) for part in (model, other))
    recipes = {"vg-net": model.card["recipe"]["phases"], "at-net": other.card["recipe"]["phases"]}
    # Each phase with the settings that its own run had.
    phases = {name: recipes["vg-net" if name == "vg-net" else "at-net"][name] for name in model.card["phases"]}
    recipe = model.card["recipe"] | {"phases": phases}
    model.card = model.card | {"training_seconds": seconds, "recipe": recipe}
    print(model.save(given.output, step=phases["vg-net"]["steps"]))


if __name__ == "__main__":
    main()
