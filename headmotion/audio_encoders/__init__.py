"""Audio encoders: log mel energies and mel-frequency cepstra."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import LogMelSpec, MfccSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the audio encoders that come with headmotion."""
    return [LogMelSpec, MfccSpec]
