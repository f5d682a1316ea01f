"""Component: the base of every built part, a torch module that keeps the spec it was built from."""

from __future__ import annotations

import itertools
from abc import ABC
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from .errors import SpecError
from .noise import sample_seeds
from .short_repr import module_repr
from .spec import Spec


class Component(nn.Module, ABC):
    """A part built from its spec. Its parameters and buffers are what a checkpoint stores."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    def __repr__(self) -> str:
        return module_repr(self, self.spec.type_name())


def device_of(part: nn.Module) -> torch.device:
    """Return the device of a part's tensors; the CPU if it has none."""
    return next((tensor.device for tensor in itertools.chain(part.parameters(), part.buffers())), torch.device("cpu"))


def hidden_weights(part: nn.Module, shared: Iterable[nn.Module] = ()) -> Iterator[str]:
    """Yield attributes with weights that torch does not find, such as ``layers[0]``: modules in a plain list or dict.

    They are not trained, not moved to a device, and not in a checkpoint.

    Args:
        part: the part.
        shared: other parts that it may refer to.
    """
    known = {id(tensor) for module in (part, *shared) for tensor in (*module.parameters(), *module.buffers())}

    def search(value: object, path: str, depth: int = 3) -> Iterator[str]:
        if isinstance(value, nn.Module | nn.Parameter):
            tensors = [value] if isinstance(value, nn.Parameter) else [*value.parameters(), *value.buffers()]
            if any(id(tensor) not in known for tensor in tensors):
                yield path
        elif depth and isinstance(value, Mapping):
            for key, item in value.items():
                yield from search(item, f"{path}[{key!r}]", depth - 1)
        elif depth and isinstance(value, list | tuple | set | frozenset):
            for number, item in enumerate(value):
                yield from search(item, f"{path}[{number}]", depth - 1)

    for prefix, module in part.named_modules():
        for name, value in vars(module).items():
            if isinstance(module, nn.RNNBase) and name == "_flat_weights":  # torch's own view of its parameters
                continue
            if isinstance(value, Mapping | list | tuple | set | frozenset):
                yield from search(value, f"{prefix}.{name}" if prefix else name)


def require_registered(part: Component, shared: Iterable[nn.Module] = ()) -> None:
    """Refuse a part with weights that torch does not find; see `hidden_weights`.

    Raises:
        SpecError: there are some.
    """
    if hidden := next(hidden_weights(part, shared), None):
        name = f"{part.spec.kind.replace('_', ' ')} {part.spec.type_name()}"
        remedy = (
            "use nn.ModuleList or nn.ModuleDict; hm.freeze(network, persistent=False) keeps weights out of checkpoints"
        )
        raise SpecError(
            name, "all weights in modules that torch finds", f"some in the plain attribute {hidden}", remedy
        )


def seeded_uniform(seed: int | Sequence[int], batch: int, size: int) -> Tensor:
    """Draw noise ``[B, size]`` in [0, 1) that is seeded per sample.

    A sample gets the same numbers in any batch, so results do not depend on how a batch is divided.

    Args:
        seed: an int seeds sample ``b`` with ``seed + b``; a sequence holds a seed per sample.
        batch: number of samples, ``B``.
        size: numbers per sample.
    """
    # One generator per sample, because a single one would tie the numbers of a sample to its place in the batch.
    generators = (torch.Generator().manual_seed(sample) for sample in sample_seeds(seed, batch))
    return torch.stack([torch.rand(size, generator=generator) for generator in generators])
