"""What LiteRT gives for a few inputs of Face Landmarker's networks, stored so that it need not be installed.

    python -m tests.detectors.golden_face_mesh ../shared/data/models/face_landmarker.task

Needs ai-edge-litert. Inputs come from the bundled portrait.
"""

from __future__ import annotations

import sys
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

GOLDEN = Path(__file__).with_name("golden_face_mesh.npz")
FACE = slice(44, 214), slice(140, 310)
"""Rows and columns of the portrait that the mesh network sees."""


def inputs() -> dict[str, np.ndarray]:
    """Return pictures ``[1, H, W, 3]`` for the finder (-1..1) and the mesh (0..1), and points ``[1, 146, 2]``."""
    stored = np.frombuffer((files("headmotion") / "assets/portrait.png").read_bytes(), np.uint8)
    portrait = cv2.imdecode(stored, cv2.IMREAD_COLOR)[:, :, ::-1]
    small = portrait[2::4, 2::4].astype(np.float32) / 127.5 - 1
    face = portrait[FACE][np.arange(256) * 170 // 256][:, np.arange(256) * 170 // 256].astype(np.float32) / 255
    points = np.random.default_rng(0).uniform(0, 256, (1, 146, 2)).astype(np.float32)
    return {"finder": small[None], "mesh": face[None], "blendshapes": points}


def outputs_of_litert(task: Path) -> dict[str, np.ndarray]:
    """Return what the networks in a ``.task`` file give for the inputs."""
    given = inputs()
    with zipfile.ZipFile(task) as bundle:
        boxes, scores = _run(bundle.read("face_detector.tflite"), given["finder"])
        points, presence, _ = _run(bundle.read("face_landmarks_detector.tflite"), given["mesh"])
        (shapes,) = _run(bundle.read("face_blendshapes.tflite"), given["blendshapes"])
    return {"scores": scores, "boxes": boxes, "points": points, "presence": presence, "blendshapes": shapes}


def _run(model: bytes, given: np.ndarray) -> list[Any]:
    from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **outputs_of_litert(Path(sys.argv[1])))
