"""Weights of published networks: where their files lie, fetching them on request, and loading them."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import shutil
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import CheckpointError, HeadmotionError
from .files import atomic_output, read_regular, reason_of

TIMEOUT_SECONDS = 20
"""Seconds of silence after which a host counts as out of reach."""

_log = logging.getLogger("headmotion")


def find_weights(
    path: str | None,
    url: str,
    fetch: bool,
    component: str,
    error: type[HeadmotionError] = CheckpointError,
    otherwise: str = "",
) -> Path:
    """Return the user's file, or the one that torch hub keeps for ``url``, which is fetched if ``fetch`` allows it.

    Args:
        path: the user's file; None looks into torch hub's folder.
        url: where the file is published.
        fetch: whether a file that is not on this machine may be downloaded.
        component: who needs the weights, for the error.
        error: type of the error.
        otherwise: further remedies where fetching is not allowed.

    Raises:
        HeadmotionError: the file is missing, or cannot be fetched whole.
    """
    name = url.rpartition("/")[2]
    if path is not None:
        if not Path(path).is_file():
            raise error(component, f"the weights {name}", f"no file {path}")
        return Path(path)
    # Other programs keep the same files there, so they are often on the machine already.
    cached = Path(torch.hub.get_dir()) / "checkpoints" / name
    if cached.is_file():
        return cached
    remedy = f"put {name} (from {url}) into {cached.parent}"
    if not fetch:
        remedies = ", ".join(filter(None, (remedy, otherwise)))
        raise error(component, f"the weights {name}", f"none in {cached.parent}", remedies)
    try:
        _download(url, cached)
    except (OSError, http.client.HTTPException, ValueError) as reason:
        raise error(component, f"the weights {name}", f"no success in fetching them ({reason})", remedy) from None
    return cached


def load_weights(
    network: nn.Module,
    path: str,
    name: str,
    remedy: str = "",
    translate: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
) -> str:
    """Fill a network from a ``.safetensors`` file, freeze it in evaluation mode, and return the file's SHA-256.

    Other tensors in the file (classifiers, auxiliary heads) are ignored.

    Args:
        network: the network, whose tensors have their published names.
        path: the file.
        name: the network's name, for the error.
        remedy: where the file comes from, for the error.
        translate: returns the tensors of a file, which may have other names, by the network's own names.

    Raises:
        CheckpointError: no such file, not a safetensors file, or not that network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    component = f"weights of {name}"
    try:
        content = read_regular(path)
        stored: Mapping[str, Tensor] = load(content)
    except (OSError, SafetensorError) as reason:
        got = f"{path} ({reason_of(reason)})"
        raise CheckpointError(component, "a .safetensors file", got, remedy) from None
    if translate is not None:
        stored = translate(stored)
    # The counters of batch norms are of no use in evaluation, and converted files often lack them.
    needed = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    unfit = [key for key, value in needed.items() if key not in stored or stored[key].shape != value.shape]
    if unfit:
        got = f"{path}, in which {len(unfit)} are missing or of another shape: {unfit[0]} and others"
        raise CheckpointError(component, f"{len(needed)} tensors by their published names", got, remedy)
    network.load_state_dict({key: stored[key] for key in needed}, strict=False)
    network.eval().requires_grad_(False)
    return hashlib.sha256(content).hexdigest()


def load_archive(path: Path, device: str) -> Mapping[str, Tensor]:
    """Read tensors from a PyTorch archive of another project; nothing in it is executed.

    Raises:
        CheckpointError: a torch before 2.6, whose ``weights_only`` can be made to run code (CVE-2025-32434).
        Exception: what ``torch.load`` raises for a damaged file.
    """
    major, minor = (int(part) for part in torch.__version__.split(".")[:2])
    if (major, minor) < (2, 6):
        got = f"torch {torch.__version__}"
        raise CheckpointError("weights", "torch 2.6 or newer, which reads archives safely", got, "update torch")
    archive: Mapping[str, Tensor] = torch.load(path, map_location=device, weights_only=True)
    return archive


def _download(url: str, path: Path) -> None:
    """Download a file, whose name holds the first digits of its SHA-256 as torch hub's names do."""
    _log.warning("fetching %s into %s", url, path.parent)
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, atomic_output(path) as temporary:
        with temporary.open("wb") as stream:
            shutil.copyfileobj(response, stream)
        with temporary.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        expected = re.search(r"-([0-9a-f]{8,})\.", path.name)
        if expected and not digest.startswith(expected[1]):
            raise ValueError(f"SHA-256 {digest[:10]}..., cut short or not the file")
