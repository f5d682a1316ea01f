"""Training: a recipe's phases run over corpora, resumable at any step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.hookspecs import hookimpl
from ..core.lazy import lazy_names
from ..core.spec import Spec

if TYPE_CHECKING:
    from .trainer import train as train


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the phases that come with headmotion."""
    from .specs import AdversarialPhaseSpec, ContrastivePhaseSpec, FitPhaseSpec, SupervisedPhaseSpec

    return [ContrastivePhaseSpec, AdversarialPhaseSpec, SupervisedPhaseSpec, FitPhaseSpec]


# Without `__dir__`: what looks for hooks gets every name that is listed, and would import torch.
__getattr__, _ = lazy_names(__name__, {"train": "trainer"})
