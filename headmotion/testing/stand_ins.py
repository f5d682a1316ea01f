"""Stand-ins for what earlier phases hand on to the part under test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import nn

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, ComponentSpec, PhaseSpec, RepresentationSpec
from ..core.plugins import registry
from ..core.spec import Spec, required_fields
from ..training.context import PIPELINE_PARTS
from ..training.take_step import take_step
from .build_context import Subject, stand_in_syncers
from .phase_subject import PhaseSubject


class StandIns(dict[str, Any]):
    """Parts by name, made when they are asked for.

    A phase of the same plugin that hands on the name makes the part, in a few steps on a small corpus. Otherwise a
    discriminator of the plugin that is called so is built, such as ``mine/classifier`` for ``classifier``. Whatever
    else is asked for is fixed syncers.

    Args:
        spec: of the part under test, whose plugin is searched.
        representation: of the pipeline.
        context: in which discriminators are built.
        excluded: types of phases that are being made already.
    """

    def __init__(
        self,
        spec: Spec,
        representation: RepresentationSpec,
        context: BuildContext,
        excluded: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self.spec, self.representation, self.context = spec, representation, context
        self.excluded = excluded | ({spec.type_name()} if spec.kind == "phase" else set())

    def __contains__(self, name: object) -> bool:
        return name not in PIPELINE_PARTS

    def __missing__(self, name: str) -> Any:
        part = self._made_by_a_phase(name)
        if part is None:
            part = self._discriminator(name)
        if part is None:
            part = stand_in_syncers(Subject(cast("ComponentSpec", self.spec), self.context))
        self[name] = part
        return part

    def _types(self, kind: str) -> Iterator[type[Spec]]:
        """Yield the specs of a kind that the plugin of the part under test offers, and that have defaults."""
        namespace = self.spec.type_name().rpartition("/")[0]
        for (of_kind, name), cls in registry().specs.items():
            if of_kind == kind and namespace and name.rpartition("/")[0] == namespace and not required_fields(cls):
                yield cls

    def _made_by_a_phase(self, name: str) -> Any:
        for cls in self._types("phase"):
            if cls.type_name() in self.excluded:
                continue
            spec = cast("PhaseSpec", cls.model_validate(cls.for_checks))
            others = StandIns(spec, self.representation, self.context, self.excluded)
            with PhaseSubject(spec, self.representation, others).context() as context:
                try:
                    phase = PhaseSubject(spec, self.representation).build(context)
                except SpecError:  # it needs another pipeline, or other settings
                    continue
                if name in phase.result():
                    phase.start()
                    with torch.random.fork_rng(devices=[]):
                        for number in range(phase.steps):
                            take_step(phase, number)
                    return _frozen(phase.result()[name])
        return None

    def _discriminator(self, name: str) -> Any:
        for cls in self._types("discriminator"):
            if cls.type_name().rpartition("/")[2] == name:
                return _frozen(
                    Subject(cast("ComponentSpec", cls.model_validate(cls.for_checks)), self.context, self).build()
                )
        return None


def _frozen(part: Any) -> Any:
    return part.eval().requires_grad_(False) if isinstance(part, nn.Module) else part
