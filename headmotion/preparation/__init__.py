"""Make a corpus from videos of talking people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .prepare_videos import Summary as Summary
    from .prepare_videos import prepare as prepare

__getattr__, __dir__ = lazy_names(__name__, {"Summary": "prepare_videos", "prepare": "prepare_videos"})
