"""Evaluation: models and motions measured beside baselines, and reports that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import compare as compare
    from .report import Report as Report
    from .run_evaluation import evaluate as evaluate

_HOMES = {"compare": "comparison", "evaluate": "run_evaluation", "Report": "report"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
