"""Join a trained VG-net and a trained AT-net, of two runs of one recipe, into one model with weights in float16.

    python plugins/headmotion-atvg/benchmarks/pack_model.py RENDERER GENERATOR -o model.safetensors

The phases of ``atvg/grid`` do not depend on each other, so each may be trained in a run of its own: with
``--set phases.at-net.steps=0 --set phases.basis.steps=0``, and with ``--set phases.vg-net.steps=0``. It also prints how
much pictures change by the rounding.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import headmotion as hm
from headmotion.core.checkpoint import save_checkpoint

SOURCES = ["GRID speakers s1 and s4 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)"]


def pack(renderer: str, generator: str, output: Path) -> Path:
    """Write the model that has the renderer of one run and the generator of another."""
    renderer_model, model = (hm.load(name, device="cpu") for name in (renderer, generator))
    if renderer_model.renderer.spec != model.renderer.spec:
        raise hm.SpecError("pack_model", f"runs with one spec of the renderer, {model.renderer.spec}", renderer)
    model.renderer.load_state_dict(renderer_model.renderer.state_dict())
    recipes = {name: part.card["recipe"]["phases"] for name, part in (("vg-net", renderer_model), ("at-net", model))}
    # Each phase with the settings that its own run had.
    phases = {name: recipes["vg-net" if name == "vg-net" else "at-net"][name] for name in model.card["phases"]}
    card = model.card | {
        "training_seconds": sum(int(part.card["training_seconds"]) for part in (model, renderer_model)),
        "recipe": model.card["recipe"] | {"phases": phases},
        "sources": SOURCES,
    }
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    spec = model.spec.model_dump(mode="json")
    path = save_checkpoint(output, spec, tensors, step=phases["vg-net"]["steps"], card=card)
    print(path, f"{path.stat().st_size / 1e6:.1f} MB, pictures change by {rounding(model, path):.2f} of 255 at most")
    return path


@torch.no_grad()
def rounding(model: hm.Pipeline, path: Path) -> float:
    """Return the largest difference of pictures by a stored model from those of the one in memory, in levels."""
    torch.manual_seed(0)
    size = model.renderer.training_picture_size
    still = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), size, mode="bicubic").clamp(0, 1)
    pose = model.representation.neutral()[None]
    motion = pose[:, None] + 0.01 * torch.randn(1, 8, 1, 2)
    lips = list(model.representation.groups["lips"])
    motion[:, :, lips] += 0.01 * torch.randn(1, 8, len(lips), 2)
    drawn = [
        part.renderer.eval().pictures(still, pose, motion)["frames"] for part in (model, hm.load(path, device="cpu"))
    ]
    return float(255 * (drawn[0] - drawn[1]).abs().max())


def main() -> None:
    """Join the models that the command line names."""
    parser = argparse.ArgumentParser(description="Join the networks of two runs.")
    parser.add_argument("renderer", help="model whose renderer is taken")
    parser.add_argument("generator", help="model whose generator is taken")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the new model")
    arguments = parser.parse_args()
    pack(arguments.renderer, arguments.generator, arguments.output)


if __name__ == "__main__":
    main()
