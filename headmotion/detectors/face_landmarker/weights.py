"""The three networks, filled with the weights that come with headmotion."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from ...core.errors import DetectorError
from ...core.files import reason_of
from .blaze_face import BlazeFace
from .blendshape_network import BlendshapeNetwork
from .mesh_network import MeshNetwork

FILE = Path(__file__).parents[1] / "models" / "face-landmarker.safetensors"
SHA256 = "829dc49529cd9f814de47a1f9f43ea56cf4206c5111c4afe164bec3774edd1e9"
"""Of the bundled file, which ``tools/convert_face_landmarker.py`` prints."""


@dataclass(frozen=True)
class Networks:
    """What Face Landmarker consists of, ready to be used on a device."""

    finder: BlazeFace
    mesh: MeshNetwork
    blendshapes: BlendshapeNetwork
    device: torch.device


def parts() -> dict[str, nn.Module]:
    """Return the networks without weights, by the prefix of their parameters' names in the file."""
    return {"finder": BlazeFace(), "mesh": MeshNetwork(), "blendshapes": BlendshapeNetwork()}


@lru_cache(maxsize=2)
def shared_networks(device: torch.device) -> Networks:
    """Return `load_networks` of the bundled file, once per process and device; nothing changes their weights.

    Raises:
        DetectorError: the file is missing, damaged, or not the one that belongs to this version.
    """
    with torch.inference_mode(False):  # others may use them outside of the caller's mode
        return load_networks(device)


def load_networks(device: torch.device, path: Path = FILE) -> Networks:
    """Return the networks in float32; the file holds the float16 numbers of the original.

    Raises:
        DetectorError: the file is missing, damaged, or not the one that belongs to this version.
    """
    remedy = "install headmotion again"
    try:
        content = path.read_bytes()
        if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
            raise DetectorError("detector face-mesh", f"{path.name} with SHA-256 {SHA256}", digest, remedy)
        stored = load(content)
    except (OSError, SafetensorError) as error:
        got = f"{path} ({reason_of(error)})"
        raise DetectorError("detector face-mesh", "its bundled weights", got, remedy) from None
    with torch.random.fork_rng(devices=[]):  # layers begin with random weights, which must not move the user's seed
        modules = parts()
    nn.ModuleDict(modules).load_state_dict({name: value.float() for name, value in stored.items()})
    for module in modules.values():
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        module.eval().requires_grad_(False).to(device)
    return Networks(modules["finder"], modules["mesh"], modules["blendshapes"], device)  # type: ignore[arg-type]
