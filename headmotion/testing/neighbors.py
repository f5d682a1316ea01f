"""What a part of a plugin is checked with: headmotion's parts, or the plugin's own if it refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import HeadmotionError
from ..core.plugins import registry
from ..core.process_settings import same_settings
from ..core.spec import required_fields
from .build_context import Subject
from .control_subject import ControlSubject
from .phase_subject import PhaseSubject
from .runner import SpecLike, make_subject

PIPELINE_KINDS = ("generator", "audio_encoder", "renderer")
"""Kinds of the pipeline's parts, besides the representation, that a phase may ask for."""


@dataclass(frozen=True)
class Neighbors:
    """The options of `run_checks` that say what a part is built with."""

    representation: SpecLike = "landmarks68"
    """The representation."""
    pipeline: dict[str, Any] = field(default_factory=dict)
    """Specs of a phase's pipeline by kind; small parts of headmotion's where it says nothing."""


def candidates(types: Sequence[str]) -> list[Neighbors]:
    """Return what parts of a plugin may be checked with, in the order of preference.

    Args:
        types: what the plugin offers, as ``kind:type``.
    """
    own = {kind: list(_specs(types, kind)) for kind in ("representation", *PIPELINE_KINDS)}
    single = [{kind: spec} for kind in PIPELINE_KINDS for spec in own[kind]]
    together = {kind: own[kind][0] for kind in PIPELINE_KINDS if own[kind]}
    pipelines = [{}, *single, *([together] if len(together) > 1 else [])]
    representations: list[SpecLike] = ["landmarks68", *own["representation"]]
    return [Neighbors(each, pipeline) for pipeline in pipelines for each in representations]


def accepted(kind: str, spec: SpecLike, choices: Sequence[Neighbors]) -> Neighbors:
    """Return the first neighbors with which a part can be built; the first of all if it refuses each.

    Args:
        kind: of the part.
        spec: the spec under test.
        choices: see `candidates`.
    """
    # Only phases are built from a pipeline.
    choices = [each for each in choices if kind == "phase" or not each.pipeline]
    for each in choices if len(choices) > 1 else ():
        try:
            with same_settings():
                _build(make_subject(kind, spec, each.representation, pipeline=each.pipeline))
            return each
        except HeadmotionError:  # a refusal, such as that of a part which works with the plugin's own only
            continue
        except Exception:  # a mistake, which the checks report
            return each
    return choices[0]


def _specs(types: Sequence[str], kind: str) -> Iterator[dict[str, Any]]:
    """Yield the specs of a kind that a plugin offers and that have defaults, or fields for checks."""
    for of_kind, _, name in (offered.partition(":") for offered in types):
        if of_kind == kind and not set(required_fields(cls := registry().resolve(kind, name))) - set(cls.for_checks):
            yield {"type": name, **cls.for_checks}


def _build(subject: Any) -> None:
    if isinstance(subject, PhaseSubject):
        with subject.context() as context:
            subject.build(context)
    elif isinstance(subject, Subject):
        subject.build()
    else:
        assert isinstance(subject, ControlSubject)  # which is built from its spec alone
