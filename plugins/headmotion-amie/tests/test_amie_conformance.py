"""The kit over all parts, in narrow networks and small pictures."""

from __future__ import annotations

import pytest

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import check_component

TINY = {
    "type": "amie/generator",
    "preset": "small",
    "size": 32,
    "identity_widths": [4, 8, 8],
    "image_widths": [4, 4, 4],
}
MOTION = {"type": "amie/estimator", "preset": "small", "track": "motion"}
PARTS = [
    ("renderer", TINY),
    ("generator", {"type": "amie/still"}),
    ("discriminator", {"type": "amie/frame", "preset": "small"}),
    ("loss", {"type": "amie/estimator", "preset": "small"}),
    ("loss", MOTION),
    ("phase", MOTION),
    ("metric", {"type": "amie/estimator"}),
]


def test_the_plugin_is_found() -> None:
    record = next(record for record in registry().records if record.name == "amie")
    assert record.status == "ok", record.error
    kinds = {part.partition(":")[0] for part in record.types}
    assert kinds == {"generator", "renderer", "discriminator", "loss", "metric", "phase"}
    assert {"amie/small", "amie/grid", "amie/estimator-on-motion", "amie/smoke"} <= set(registry().recipes)


@pytest.mark.parametrize(("kind", "spec"), PARTS)
def test_each_part_conforms(kind: str, spec: dict[str, object]) -> None:
    check_component(hm.resolve_spec(kind, spec))
