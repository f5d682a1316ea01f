"""A corpus examined before training: what is in it, what is damaged, and what would harm a model unnoticed."""

from .corpus_report import CorpusReport
from .findings import Finding
from .inspect import inspect_corpus

__all__ = ["CorpusReport", "Finding", "inspect_corpus"]
