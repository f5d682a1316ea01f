"""Weights of published networks, from files that users have."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from ..core.errors import CheckpointError

PAGE = "docs/metrics-sync-frechet.md"


def load_weights(network: nn.Module, path: str, name: str) -> str:
    """Fill a network and make it ready to be used; returns the file's SHA-256.

    What else the file holds (classifiers, auxiliary heads) is left alone.

    Raises:
        CheckpointError: no such file, no safetensors, or not that network's.
    """
    remedy = f"{PAGE} says where it comes from and how it is converted"
    try:
        content = Path(path).read_bytes()
        stored = load(content)
    except (OSError, SafetensorError) as error:
        got = f"{path} ({type(error).__name__})"
        raise CheckpointError(f"weights of {name}", "a .safetensors file", got, remedy) from None
    wanted = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    unfit = [key for key, value in wanted.items() if key not in stored or stored[key].shape != value.shape]
    if unfit:
        got = f"{path}, in which {len(unfit)} are missing or of another shape: {unfit[0]} and others"
        raise CheckpointError(f"weights of {name}", f"{len(wanted)} tensors by their published names", got, remedy)
    network.load_state_dict({key: stored[key] for key in wanted}, strict=False)
    network.eval().requires_grad_(False)
    return hashlib.sha256(content).hexdigest()
