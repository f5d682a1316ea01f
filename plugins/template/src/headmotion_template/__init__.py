"""A minimal headmotion plugin to copy: an audio encoder and a generator."""

from collections.abc import Iterable

from headmotion import Spec, hookimpl

from .specs import EnergyJawSpec, EnergySpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The audio encoder and the generator."""
    return [EnergySpec, EnergyJawSpec]
