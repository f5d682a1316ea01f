"""Evaluation: models and motions together with baselines, and reports that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .comparison import compare as compare
    from .report import Report as Report
    from .run_evaluation import evaluate as evaluate

__getattr__, __dir__ = lazy_names(__name__, {"Report": "report", "compare": "comparison", "evaluate": "run_evaluation"})
