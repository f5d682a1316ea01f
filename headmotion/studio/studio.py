"""The server of the studio: the server of live sessions, with the page and its requests."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.errors import ServingError
from ..core.lazy import require_packages
from ..pipeline.pipeline import Pipeline
from ..serving.server import PACKAGES, Server
from ..serving.server_limits import ServerLimits

LIMITS = ServerLimits(sessions=8, connections=64, handshake_s=60)
"""Enough for one person with a few pages; a browser on a busy machine is given time."""


def studio_server(models: Mapping[str, Pipeline], port: int = 8770, limits: ServerLimits = LIMITS) -> Server:
    """Return a server whose address is the studio; it listens to this machine only.

    Args:
        models: the models by the names that the page shows; the first is the default.
        port: port; 0 takes a free one.
        limits: limits of sessions, sizes and times.

    Raises:
        ServingError: packages of the extra ``studio`` are missing, no model, or a port that is taken.
    """
    require_packages(PACKAGES, "headmotion[studio]", "studio", ServingError)
    from .endpoints import StudioEndpoints

    return Server(models, port=port, limits=limits, routes=StudioEndpoints(models, limits).routes())
