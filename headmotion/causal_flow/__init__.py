"""Causal flow, a second system: lips by regression from speech, and the head, brows and eyes by flow matching.

The division into regressed lips and a small flow for the rest follows DyStream (arXiv 2512.24408), much smaller. Flow
matching is that of Lipman, Chen, Ben-Hamu, Nickel, Le (arXiv 2210.02747).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import CausalFlowGeneratorSpec

_HERE = Path(__file__).parent


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the spec of the generator."""
    return [CausalFlowGeneratorSpec]


@hookimpl
def headmotion_recipes() -> Mapping[str, Path]:
    """Return the training recipes."""
    return {path.stem: path for path in sorted((_HERE / "recipes").glob("*.yaml"))}
