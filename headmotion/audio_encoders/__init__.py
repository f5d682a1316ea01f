"""How a wave becomes feature steps: mel spectra and their cepstra."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import LogMelSpec, MfccSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The audio encoders that come with headmotion."""
    return [LogMelSpec, MfccSpec]
