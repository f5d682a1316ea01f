"""Serving: live sessions of many clients over WebSockets, and whole files over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .server import Server as Server
    from .server_limits import ServerLimits as ServerLimits

__all__ = ["Server", "ServerLimits"]

__getattr__, __dir__ = lazy_names(__name__, {"Server": "server", "ServerLimits": "server_limits"})
