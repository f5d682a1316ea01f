"""Studio: a page in the browser in which a face answers the microphone, a sound file or a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .onnx_page import write_web_page as write_web_page
    from .studio import studio_server as studio_server

__all__ = ["studio_server", "write_web_page"]

__getattr__, __dir__ = lazy_names(__name__, {"studio_server": "studio", "write_web_page": "onnx_page"})
