"""The kit over all parts, in narrow networks and small pictures."""

from __future__ import annotations

import pytest

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import check_component

NARROW = {
    "type": "atvg/at-net",
    "conv_widths": [2, 2, 4, 4, 4],
    "audio_widths": [16, 8],
    "pose_widths": [8, 8],
    "hidden_size": 16,
}
PARTS = [
    ("representation", {"type": "atvg/landmark-pca"}),
    ("representation", {"type": "atvg/landmark-pca", "alignment": "fixed", "components": 4}),
    ("renderer", {"type": "atvg/vg-net", "preset": "small", "size": 32}),
    ("discriminator", {"type": "atvg/regression", "preset": "small"}),
    ("loss", {"type": "atvg/dynamic-pixel"}),
]


def test_the_plugin_is_found() -> None:
    record = next(record for record in registry().records if record.name == "atvg")
    assert record.status == "ok", record.error
    assert {part.partition(":")[0] for part in record.types} == {
        "representation", "generator", "renderer", "discriminator", "loss"
    }  # fmt: skip
    assert {"atvg/at-net", "atvg/vg-net", "atvg/joint", "atvg/grid", "atvg/smoke"} <= set(registry().recipes)


@pytest.mark.parametrize(("kind", "spec"), PARTS)
def test_each_part_conforms(kind: str, spec: dict[str, object]) -> None:
    check_component(hm.resolve_spec(kind, spec))


@pytest.mark.parametrize("representation", ["landmarks68", "atvg/landmark-pca"])
def test_at_net_conforms_over_landmarks_and_coefficients(representation: str) -> None:
    check_component(hm.resolve_spec("generator", NARROW), representation=representation)
