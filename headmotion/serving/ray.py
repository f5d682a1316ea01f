"""The server on a Ray cluster: ``serve run headmotion.serving.ray:app`` starts it by Ray Serve.

Clients speak the same protocol with Ray's proxy, which gives each connection to one of the replicas. A replica is a
process with all models, and steps its sessions in batches like a server on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from ..core.booleans import StrictNumbers
from ..core.default_model import DEFAULT_MODEL
from ..core.errors import ServingError
from ..core.lazy import import_optional, require_packages
from ..core.validation import validated
from .operator import named_models, read_token
from .server import PACKAGES
from .server_limits import ServerLimits

if TYPE_CHECKING:
    from starlette.applications import Starlette

NETWORK = "0.0.0.0"
"""What a replica takes its address for: others than this machine reach a cluster, so a token is necessary."""
STOP_S = 10.0
"""Time for a replica that stops to write its sessions (seconds)."""


def _words(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""Words, or one text in which commas separate them, as ``serve run`` passes it."""


class RaySettings(StrictNumbers):
    """Arguments of the application: ``serve run ... NAME=VALUE``, or ``args`` in a file for ``serve deploy``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Words = (DEFAULT_MODEL,)
    """Bundled models, or checkpoints as ``NAME=FILE``, which all machines can read."""
    token_file: Path | None = None
    """File with the token of clients on each machine; None: its environment variable ``HEADMOTION_SERVE_TOKEN``."""
    origins: Words = ()
    """Origins of web pages that may call."""
    limits: ServerLimits = ServerLimits()
    """Limits of each replica."""
    state: Path | None = None
    """Folder that all machines share, in which a session waits for its client; None: sessions end with a connection
    that breaks, unless the client happens to come back to the same replica."""
    replicas: int = Field(1, ge=1)
    """Number of processes."""
    cpus: float = Field(1, gt=0)
    """Processors that Ray reserves for each."""
    device: str = "cpu"
    """Where a replica computes."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> RaySettings:
        """Return checked settings.

        Raises:
            ServingError: an unknown name, or a value out of range.
        """
        settings = validated(cls, dict(values), "ray application", error=ServingError)
        named_models(settings.models)
        return settings


def app(arguments: Mapping[str, Any]) -> Any:
    """Build the application of Ray Serve; see `RaySettings`.

    Raises:
        ServingError: wrong arguments, or a package is not installed.
    """
    settings = RaySettings.parse(arguments)
    require_packages(PACKAGES, "headmotion[serve]", "server", ServingError)
    serve = import_optional("ray.serve", "headmotion[ray]", "server", ServingError)

    def build() -> Starlette:
        return replica(settings)

    deployment = serve.deployment(
        name="headmotion",
        num_replicas=settings.replicas,
        # A session is one request to Ray; beyond these, Ray would let clients wait without an answer.
        max_ongoing_requests=settings.limits.connections,
        ray_actor_options={"num_cpus": settings.cpus},
        graceful_shutdown_timeout_s=STOP_S,
    )
    return deployment(serve.ingress(build)()).bind()


def replica(settings: RaySettings) -> Starlette:
    """Return the ASGI application of a replica, in its process.

    Raises:
        HeadmotionError: no token, an invalid origin, or a model that cannot be loaded.
    """
    import torch

    from ..pipeline.loading import load
    from .access import Access
    from .app import Application
    from .connections import Connections
    from .server_metrics import ServerMetrics
    from .stored_sessions import StoredSessions

    torch.set_num_threads(max(1, int(settings.cpus)))
    metrics, limits = ServerMetrics(), settings.limits
    access = Access(NETWORK, read_token(settings.token_file), settings.origins)
    models = {name: load(source, settings.device) for name, source in named_models(settings.models).items()}
    stored = None if settings.state is None else StoredSessions(settings.state, limits.resume_s, is_shared=True)
    return Application(models, access, limits, Connections(limits, metrics), metrics, stored).asgi
