"""Join the pictures of one model and the audio-to-units of another into one model.

    python plugins/headmotion-au/benchmarks/join_models.py RENDERER GENERATOR -o model.safetensors

The phases of ``au/grid`` do not depend on each other but for the classifier's loss, so each may be trained in a run of
its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import headmotion as hm


def main() -> None:
    """Join the models that the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("renderer", help="model whose renderer is taken")
    parser.add_argument("generator", help="model whose generator is taken")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the new model")
    given = parser.parse_args()
    model, other = (hm.load(name, device="cpu") for name in (given.renderer, given.generator))
    model.generator.load_state_dict(other.generator.state_dict())
    print(model.save(given.output))


if __name__ == "__main__":
    main()
