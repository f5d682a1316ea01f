"""Preparation: from videos of talking people to a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .prepare_videos import prepare as prepare
    from .summary import Summary as Summary

__getattr__, __dir__ = lazy_names(__name__, {"Summary": "summary", "prepare": "prepare_videos"})
