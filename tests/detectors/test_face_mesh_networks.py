"""The networks of `face-mesh`: against LiteRT where that is installed, and against numbers that it gave elsewhere.

`golden.npz` is made by ``python tests/detectors/golden_face_mesh.py`` in an environment with ai-edge-litert.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.detectors.face_landmarker.blaze_face import BlazeFace, weighted_suppression
from headmotion.detectors.face_landmarker.blendshape_network import OUTPUTS, POINTS
from headmotion.detectors.face_landmarker.weights import FILE, Networks, load_networks
from headmotion.representations.blendshapes import NAMES
from tests.detectors.golden_face_mesh import GOLDEN, inputs, outputs_of_litert

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(CPU)


def outputs(networks: Networks) -> dict[str, np.ndarray]:
    """What the original files' outputs are called, from ours."""
    given = inputs()
    with torch.inference_mode():
        scores, boxes = networks.finder(torch.from_numpy(given["finder"]).permute(0, 3, 1, 2))
        points, presence = networks.mesh(torch.from_numpy(given["mesh"]).permute(0, 3, 1, 2))
        shapes = networks.blendshapes.outputs(torch.from_numpy(given["blendshapes"]))
    found = {"scores": scores, "boxes": boxes, "points": points, "presence": presence, "blendshapes": shapes}
    return {name: value.numpy().reshape(-1) for name, value in found.items()}


def relative(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.abs(found - true.reshape(-1)).max() / np.abs(true).max())


def test_networks_agree_with_numbers_that_litert_gave(networks: Networks) -> None:
    golden = np.load(GOLDEN)
    found = outputs(networks)
    assert set(golden.files) == set(found)
    for name, values in found.items():
        assert relative(values, golden[name].astype(np.float32)) < 1e-3, name


def test_networks_agree_with_litert(networks: Networks, shared: Path) -> None:
    """Measured: 1e-6, of the blend shapes 1e-5."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not in this environment")
    found = outputs(networks)
    for name, true in outputs_of_litert(shared / "data/models/face_landmarker.task").items():
        assert relative(found[name], true) < 1e-4, name


def test_a_batch_gives_what_each_input_gives(networks: Networks) -> None:
    crops = torch.rand(3, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        points, presence = networks.mesh(crops)
        alone, present = networks.mesh(crops[1:2])
    torch.testing.assert_close(points[1:2], alone, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(presence[1:2], present, atol=1e-3, rtol=1e-4)


def test_blend_shapes_come_in_arkit_s_order_wherever_the_face_is(networks: Networks) -> None:
    assert len(POINTS) == len(set(POINTS)) == 146 and len(OUTPUTS) == 52
    mesh = torch.rand(1, 478, 3, generator=torch.Generator().manual_seed(1)) * 100
    with torch.inference_mode():
        found = networks.blendshapes(mesh)
        original = networks.blendshapes.outputs(mesh[:, POINTS, :2])
        moved = networks.blendshapes(mesh * 3 + 50)
    torch.testing.assert_close(found, moved, atol=1e-3, rtol=1e-3)
    assert found.shape == (1, 52) and found[0, NAMES.index("tongueOut")] == 0
    torch.testing.assert_close(found[0, NAMES.index("jawOpen")], original[0, OUTPUTS.index("jawOpen")])


def test_loading_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    load_networks(CPU)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_weights_that_are_damaged_are_one_line(tmp_path: Path, damage: str) -> None:
    path, content = tmp_path / FILE.name, bytearray(FILE.read_bytes())
    content[-1] ^= damage == "changed"
    if damage != "missing":
        path.write_bytes(content[: -100 if damage == "cut" else None])
    with pytest.raises(hm.DetectorError, match="install headmotion again") as caught:
        load_networks(CPU, path)
    assert "\n" not in str(caught.value)


# Boxes


def test_anchors_are_the_middles_of_cells() -> None:
    anchors = BlazeFace().anchors
    assert anchors.shape == (896, 2)
    torch.testing.assert_close(anchors[:4], torch.tensor([[1.0, 1], [1, 1], [3, 1], [3, 1]]) / 32)
    torch.testing.assert_close(anchors[-1], torch.tensor([15.0, 15]) / 16)


def box(x: float, y: float, edge: float) -> Any:
    return torch.tensor([[x, y], [x + edge, y + edge], *[[x + edge / 2, y + edge / 2]] * 6])


def test_guesses_of_the_same_face_are_averaged_by_score() -> None:
    points = torch.stack([box(0.1, 0.1, 0.2), box(0.6, 0.6, 0.2), box(0.12, 0.1, 0.2)])
    scores, kept = weighted_suppression(torch.tensor([0.6, 0.7, 0.9]), points)
    torch.testing.assert_close(scores, torch.tensor([0.9, 0.7]))
    torch.testing.assert_close(kept[0], box(0.112, 0.1, 0.2))
    torch.testing.assert_close(kept[1], points[1])


@given(st.lists(st.tuples(*[st.floats(0.01, 1)] * 3, st.floats(0, 0.5)), max_size=12))
def test_of_any_guesses_few_are_kept_the_best_first(guesses: list[tuple[float, float, float, float]]) -> None:
    points = torch.stack([box(x, y, edge) for x, y, _, edge in guesses]) if guesses else torch.zeros(0, 8, 2)
    scores, kept = weighted_suppression(torch.tensor([score for _, _, score, _ in guesses]), points)
    assert len(scores) == len(kept) <= len(guesses) and bool(guesses) == bool(len(kept))
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert not len(kept) or bool(kept.isfinite().all())
