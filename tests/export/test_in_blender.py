"""Exported motion in Blender itself, where it is installed as a Python module (`pip install bpy`)."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from exported import built, joint_positions, smooth_motion
from numpy.typing import NDArray

from headmotion.export import write_motion
from headmotion.export.gltf_mesh import TOLERANCE, to_gltf_axes
from headmotion.representations.bvh import read_bvh

pytestmark = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs Blender: pip install bpy")
SCRIPT = Path(__file__).with_name("in_blender.py")
UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Blender's z axis points up."""


def imported(path: Path, *arguments: str) -> dict[str, NDArray[Any]]:
    """Names, their values frame by frame, frames per second and sounds, as the example brings them into Blender."""
    out = path.with_name("out.npz")
    subprocess.run([sys.executable, SCRIPT, out, path, *arguments], check=True, capture_output=True)
    with np.load(out) as scene:
        return dict(scene)


def test_a_face_moves_as_it_was_generated_with_its_speech(tmp_path: Path) -> None:
    motion = smooth_motion("landmarks68")
    soundfile.write(tmp_path / "speech.wav", np.zeros(16_000 * len(motion) // 25), 16_000)
    path = write_motion(motion, tmp_path / "talk.glb")
    scene = imported(path, "--audio", str(tmp_path / "speech.wav"))
    expected, _ = to_gltf_axes(motion, built("landmarks68"))
    assert list(scene["names"]) == [str(k) for k in range(68)] and scene["rate"] == 25
    assert scene["values"].shape == expected.shape
    assert np.abs(scene["values"] - expected @ UP).max() <= TOLERANCE + 1e-6
    assert scene["sounds"].tolist() == [[0, len(motion)]]


@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
def test_joints_are_where_the_motion_has_them(suffix: str, shared: Path, tmp_path: Path) -> None:
    motion = read_bvh(shared / "data/bvh/cmu_12_01_walk.bvh")
    scene = imported(write_motion(motion, tmp_path / f"walk{suffix}"))
    joints, names = list(built(motion.representation).spec.names), list(scene["names"])
    assert sorted(names) == sorted(joints) and scene["rate"] == float(motion.fps)
    expected = (joint_positions(motion)[:, : len(joints)] @ UP)[:, [joints.index(name) for name in names]]
    assert scene["values"].shape == expected.shape
    assert np.abs(scene["values"] - expected).max() < 1e-5 * np.abs(expected).max()


def test_shape_keys_follow_a_table(tmp_path: Path) -> None:
    motion = smooth_motion("blendshapes", units="unit")
    path = write_motion(motion, tmp_path / "face.csv", format="live-link")
    scene = imported(path, "--object", "Head", "--fps", "25", "--keys", "jawOpen", "mouthPucker")
    shape_names = list(built("blendshapes").point_names)
    expected = motion.values[..., 0].numpy()[:, [shape_names.index(name) for name in scene["names"]]]
    assert np.abs(scene["values"] - expected.clip(0, 1)).max() < 1e-4
