"""The kit over all parts, in narrow networks and small pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import save_file

import headmotion as hm
from headmotion.core.plugins import registry
from headmotion.testing import check_component

UNITS = {"type": "au/action-units"}
NARROW = {"conv_widths": [2, 2, 4, 4, 4], "hidden_size": 4, "feature_widths": [8, 4]}
PARTS = [
    ("representation", UNITS),
    ("representation", {"type": "au/action-units", "units": ["AU12"]}),
    ("generator", {"type": "au/audio-to-au", **NARROW}),
    ("generator", {"type": "au/audio-to-au", **NARROW, "ahead": 0}),
    ("generator", {"type": "au/audio-to-au", **NARROW, "ahead": 2}),
    ("discriminator", {"type": "au/classifier", "widths": [2, 2, 4, 4], "blocks": 1}),
    ("discriminator", {"type": "au/frame", "widths": [2, 2, 4, 4]}),
    ("renderer", {"type": "au/generator", "preset": "small", "size": 96}),
]


def test_the_plugin_is_found() -> None:
    record = next(record for record in registry().records if record.name == "au")
    assert record.status == "ok", record.error
    assert {part.partition(":")[0] for part in record.types} == {
        "representation", "generator", "audio_encoder", "renderer", "discriminator", "loss", "metric"
    }  # fmt: skip
    assert {"au/audio-to-au", "au/classifier", "au/small", "au/grid", "au/smoke"} <= set(registry().recipes)


@pytest.mark.parametrize(("kind", "spec"), PARTS)
def test_each_part_conforms(kind: str, spec: dict[str, object]) -> None:
    check_component(hm.resolve_spec(kind, spec), representation=UNITS)


def test_the_metric_keeps_its_promises() -> None:
    # Those of level 1: each check looks for faces in pictures again.
    check_component(hm.resolve_spec("metric", {"type": "au/unit-accuracy", "every": 3}), level=1)


def test_the_unit_loss_conforms() -> None:
    units = hm.BuildContext(hm.resolve_spec("representation", UNITS).build(), 13)
    classifier = hm.resolve_spec("discriminator", {"type": "au/classifier", "widths": [2, 2, 4, 4], "blocks": 1})
    check_component(
        hm.resolve_spec("loss", "au/units"), representation=UNITS, parts={"classifier": classifier.build(units)}
    )


@pytest.mark.parametrize("ahead", [None, 0])
def test_features_conform(tmp_path: Path, ahead: int | None) -> None:
    networks = {"type": "au/audio-to-au", **NARROW, "ahead": ahead}
    units = hm.resolve_spec("representation", UNITS).build()
    generator = hm.resolve_spec("generator", networks).build(hm.BuildContext(units, 13))
    save_file(generator.networks.state_dict(), tmp_path / "networks.safetensors")
    spec = {"type": "au/features", "weights": str(tmp_path / "networks.safetensors"), "networks": networks}
    check_component(hm.resolve_spec("audio_encoder", spec))
