"""A fitted representation, landmarks less their mean pose: what a package ``headmotion-offset`` would register."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

import headmotion as hm
from headmotion.representations.landmarks68 import Landmarks68
from headmotion.representations.specs import Landmarks68Spec


class OffsetSpec(hm.RepresentationSpec):
    """Landmarks less their mean pose."""

    type: Literal["offset/offset"] = "offset/offset"

    def build(self, context: hm.BuildContext | None = None) -> hm.Representation:
        return Offset(self)


class Offset(Landmarks68):
    fit_source = "landmarks68"

    def __init__(self, spec: OffsetSpec) -> None:
        super().__init__(Landmarks68Spec())
        self.spec, self.name = spec, spec.type
        self.register_buffer("mean", torch.zeros(68, 2))
        self.register_buffer("count", torch.zeros(()))

    @property
    def fitted(self) -> bool:
        return bool(self.get_buffer("count"))

    def fit(self, motions: Iterable[Tensor]) -> None:
        total, count = torch.zeros_like(self.get_buffer("mean")), 0
        for motion in motions:
            total, count = total + motion.sum(0), count + len(motion)
        self.get_buffer("mean").copy_(total / count)
        self.get_buffer("count").fill_(count)


def _less_mean(motion: hm.Motion, target: hm.Representation | None) -> hm.Motion:
    assert target is not None
    spec = target.spec.model_dump(mode="json")
    return replace(motion, values=motion.values - target.get_buffer("mean").to(motion.values), representation=spec)


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return the representation."""
    return [OffsetSpec]


@hm.hookimpl
def headmotion_converters() -> Iterable[hm.Converter]:
    """Return the converter from landmarks."""
    return [hm.Converter("landmarks68", "offset/offset", _less_mean)]
