"""The check of what parts declare: a capability of which a method is missing is none, and nothing says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import get_protocol_members

from ...core.interfaces.audio_encoder import SupportsAudioPooling, SupportsAudioStreaming, SupportsFixedShapeSteps
from ...core.interfaces.capabilities import CAPABILITIES
from ...core.interfaces.detector import SupportsLabels, SupportsRepresentations, SupportsTracking
from ...core.interfaces.phase import SupportsSchedule, UsesParts
from ...core.interfaces.renderer import SupportsTraining
from ...core.interfaces.representation import SupportsDrawing, SupportsFitting, SupportsMouth, SupportsPoints2D
from ..build_context import Subject
from ..kit import check

OF_ALL: tuple[type, ...] = (UsesParts, SupportsSchedule)
OF_KIND: Mapping[str, tuple[type, ...]] = {
    "representation": (SupportsPoints2D, SupportsDrawing, SupportsMouth, SupportsFitting),
    "audio_encoder": (SupportsAudioStreaming, SupportsAudioPooling, SupportsFixedShapeSteps),
    "generator": CAPABILITIES,
    "renderer": (SupportsTraining,),
    "detector": (SupportsTracking, SupportsRepresentations, SupportsLabels),
}
"""Protocols with several members by the kind of part."""


@check("", 2, "Add what is missing, and look for misspelled names; or remove what declares the capability.")
def capabilities_are_whole(subject: Subject) -> None:
    """A part that has one member of a capability's protocol has them all; otherwise it would not declare it at all."""
    part = subject.build()
    halves = list(_halves(part, (*OF_KIND.get(subject.spec.kind, ()), *OF_ALL)))
    assert not halves, "; ".join(halves)


def _halves(part: Any, protocols: tuple[type, ...]) -> Iterator[str]:
    for protocol in protocols:
        members = get_protocol_members(protocol)
        inherited = {name for base in protocols if base in protocol.__mro__[1:] for name in get_protocol_members(base)}
        present = {name for name in members - inherited if hasattr(part, name)}
        if present and (missing := {name for name in members if not hasattr(part, name)}):
            yield f"it has {', '.join(sorted(present))} of {protocol.__name__}, but not {', '.join(sorted(missing))}"
