"""Training: a recipe's phases run over corpora, resumable at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .trainer import train as train

__getattr__, __dir__ = lazy_names(__name__, {"train": "trainer"})
