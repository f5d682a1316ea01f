"""Frozen weights: those of a published network, which a part reads from a file and which are not trained.

They may be stored in the checkpoint, or stay outside, named by the SHA-256 of their file. This module does not import
torch, so that specs can use it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from .errors import CheckpointError
from .files import open_regular
from .interfaces.specs import BuildContext
from .spec import Spec

if TYPE_CHECKING:
    from torch import Tensor, nn

FOLDERS_VARIABLE = "HEADMOTION_WEIGHTS"
"""Environment variable with folders of weights, separated as in PATH. A file there has its own name, or is named
``<SHA-256>.safetensors``."""


class FrozenWeights(Spec):
    """Fields of a spec whose part has frozen weights; a spec inherits from this and from the base of its kind."""

    weights: str
    """Path of a ``.safetensors`` file, or one of the names of `bundled_weights`."""
    weights_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """SHA-256 of that file, hexadecimal; null takes the file as it is. A checkpoint always states it."""
    weights_in_checkpoint: bool = True
    """Whether checkpoints contain the weights; otherwise they name the file by its SHA-256, and loading needs it."""

    def bundled_weights(self) -> Mapping[str, Path]:
        """Return files that come with the plugin, by name."""
        return {}


S = TypeVar("S", bound=FrozenWeights)


def load_frozen(
    network: nn.Module,
    spec: S,
    context: BuildContext | None,
    translate: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
) -> S:
    """Fill a network with the weights that a spec names, and freeze it in evaluation mode.

    The weights become buffers, which no optimizer can find, and ``network.train()`` has no effect. A network that a
    checkpoint is about to fill is only frozen.

    Args:
        network: the network, whose tensors have the names that they have in the file.
        spec: names the file.
        context: the context that the part is built in.
        translate: returns the tensors of a file, which may have other names, by the network's own names.

    Returns:
        The spec with the file's SHA-256. The part must keep it as its own: ``self.spec = load_frozen(...)``.

    Raises:
        CheckpointError: the file is missing, has another SHA-256, or is not that network's.
    """
    if not (spec.weights_in_checkpoint and context is not None and context.restoring):
        from .weights import load_weights

        path, component = _find(spec), f"{spec.kind} {spec.type_name()}"
        digest = load_weights(network, str(path), component, translate=translate)
        spec = spec.model_copy(update={"weights_sha256": digest})
    freeze(network, persistent=spec.weights_in_checkpoint)
    return spec


def _find(spec: FrozenWeights) -> Path:
    """Return the file of the spec's weights; where their SHA-256 is known, a file that has it."""
    files, expected = [path for path in _candidates(spec) if path.is_file()], spec.weights_sha256
    digests = [_sha256(path) for path in files] if expected else []
    if files and not expected:
        return files[0]
    for path, digest in zip(files, digests, strict=True):
        if digest == expected:
            return path
    component, name = f"{spec.kind} {spec.type_name()}", Path(spec.weights).name
    expected_file = f"the weights {name} with SHA-256 {expected}" if expected else f"the weights {name}"
    if files:
        got = f"{files[0]} with SHA-256 {digests[0]}"
        raise CheckpointError(component, expected_file, got, "give the file that the model was made with")
    known = () if expected else sorted(spec.bundled_weights())
    bundled = f", or name one of {', '.join(known)}" if known else ""
    remedy = f"put it there, or into a folder that the environment variable {FOLDERS_VARIABLE} names{bundled}"
    raise CheckpointError(component, expected_file, f"no file {spec.weights}", remedy)


def _candidates(spec: FrozenWeights) -> Iterator[Path]:
    """Yield where the file may be, the best place first."""
    path = spec.bundled_weights().get(spec.weights, Path(spec.weights))
    yield path
    for folder in filter(None, os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)):
        yield Path(folder) / path.name
        if spec.weights_sha256:
            yield Path(folder) / f"{spec.weights_sha256}.safetensors"


def _sha256(path: Path) -> str:
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def freeze(network: nn.Module, persistent: bool = True) -> None:
    """Turn all tensors of a network into buffers, which no optimizer can find, in evaluation mode for good.

    Args:
        network: the network.
        persistent: whether checkpoints contain the buffers.
    """
    from torch.nn.modules.batchnorm import _NormBase

    network.eval()
    network.train = stay_in_evaluation_mode  # type: ignore[method-assign,assignment]
    for module in network.modules():
        stored = module.state_dict().keys()  # without buffers that follow from the spec
        tensors = dict(module.named_parameters(recurse=False)) | dict(module.named_buffers(recurse=False))
        for name, tensor in tensors.items():
            delattr(module, name)
            module.register_buffer(name, tensor.detach(), persistent=persistent and name in stored)
        if isinstance(module, _NormBase):
            module.track_running_stats = False  # it would expect a counter of batches in every state dict


def stay_in_evaluation_mode(mode: bool = True) -> None:
    """Replace `nn.Module.train` of a frozen network."""
