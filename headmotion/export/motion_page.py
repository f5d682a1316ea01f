"""A motion as one HTML page: curves of mouth, head and eyes over the waveform, and its lines, which play with sound.

The page has no links, and is what notebooks show of a motion. It plays the first seconds only, so that it stays small.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..controls.control import ControlContext
from ..controls.head_pose import HeadModel
from ..core.errors import HeadmotionError
from ..core.files import write_text
from ..core.interfaces.representation import Representation, SupportsPoints2D
from ..core.motion import Motion
from ..geometry.rotations import matrix_to_rotation_vector

PLAYED_S, PLAYED_FPS = 20, 30
"""What can be played: seconds, and frames per second at most."""
SOUND_RATE, SOUND_PEAKS, CURVE_POINTS = 16_000, 300, 600
"""Rate of the sound (Hz), bars of the waveform, and points of a curve at most."""
STEPS = 4096
"""Steps of a position from one side of the drawing to the other."""
MARGIN = 0.08
TEMPLATE = "motion_page.html"


def write_html(motion: Motion, representation: Representation, path: Path) -> None:
    """Write the page of a motion."""
    write_text(path, motion_page(motion, representation))


def motion_page(motion: Motion, representation: Representation) -> str:
    """Return the page of a motion of any representation; what it lacks is left out.

    Weights of a face, such as blend shapes, are drawn as landmarks.
    """
    drawn, built = _drawable(motion, representation)
    content = {
        "title": repr(motion).strip("<>"),
        "seconds": float(motion.duration),
        "curves": curves(drawn, built),
        **_drawing(drawn, built),
        **_sound(motion),
    }
    template = Template((files(__package__) / TEMPLATE).read_text("utf-8"))
    # A script would end at "</"; JSON may write it so.
    return template.substitute(content=json.dumps(content).replace("</", "<\\/"))


def curves(motion: Motion, representation: Representation) -> dict[str, list[float]]:
    """Return opening of mouth and eyes (in distances of the scale pair) and angles of the head (degrees) over time."""
    curves_by_name: dict[str, NDArray[np.float64]] = {}
    if not isinstance(representation, SupportsPoints2D) or not len(motion):
        return {}
    points = representation.to_points2d(motion.values).double().cpu().numpy()
    left, right = representation.scale_pair
    size = float(np.median(np.linalg.norm(points[:, left] - points[:, right], axis=-1))) or 1.0
    for label, names in (("Mouth", ("mouth",)), ("Eyes", ("left_eye", "right_eye"))):
        pairs = np.array([pair for name in names for pair in representation.openings.get(name, ())])
        if len(pairs):
            gaps = np.linalg.norm(points[:, pairs[:, 0]] - points[:, pairs[:, 1]], axis=-1)
            curves_by_name[label] = gaps.mean(-1) / size
    try:
        head = HeadModel(ControlContext.from_motion(motion), "page of a motion")
        angles = np.degrees(matrix_to_rotation_vector(head.fit(motion.values.double().cpu()).rotation).numpy())
        curves_by_name |= dict(zip(("Pitch", "Yaw", "Roll"), angles.T, strict=True))
    except HeadmotionError:  # no face, or one that cannot be fitted
        pass
    if not curves_by_name:
        speed = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=-1).mean(-1)
        curves_by_name["Speed"] = speed / size * float(motion.fps)
    return {name: _thinned(values) for name, values in curves_by_name.items()}


def _drawable(motion: Motion, representation: Representation) -> tuple[Motion, Representation]:
    if isinstance(representation, SupportsPoints2D):
        return motion, representation
    try:
        drawn = motion.to("landmarks68")
    except HeadmotionError:  # no conversion leads there
        return motion, representation
    return drawn, drawn.build_representation()


def _thinned(values: NDArray[np.float64]) -> list[float]:
    """Return a curve of few points, extremes of both kinds kept, as numbers of few digits."""
    if len(values) > CURVE_POINTS:
        parts = np.array_split(values, CURVE_POINTS // 2)
        # In the order in which the two occur, so that the line does not zigzag.
        values = np.concatenate([part[sorted((part.argmin(), part.argmax()))] for part in parts])
    return [float(f"{value:.4g}") for value in values]


def _drawing(motion: Motion, representation: Representation) -> dict[str, Any]:
    """Return positions of the first seconds as whole steps of a square, and the lines between them."""
    if not isinstance(representation, SupportsPoints2D) or not len(motion):
        return {}
    shown = motion[: int(PLAYED_S * motion.fps)]
    if shown.fps > PLAYED_FPS:
        shown = shown.resample(PLAYED_FPS)
    points = representation.to_points2d(shown.values).double().cpu().numpy()
    low, high = points.min((0, 1)), points.max((0, 1))
    side = float((high - low).max()) * (1 + 2 * MARGIN) or 1.0
    steps = ((points - (low + high) / 2) / side + 0.5) * STEPS
    return {
        "frames": base64.b64encode(steps.round().astype("<u2").tobytes()).decode(),
        "points": points.shape[1],
        "fps": float(shown.fps),
        "steps": STEPS,
        "edges": [list(edge) for edge in representation.edges],
    }


def _sound(motion: Motion) -> Mapping[str, Any]:
    """Return the waveform of the speech, if it is known, and its first seconds as FLAC."""
    if motion.speech is None:
        return {}
    wave = motion.speech.read(SOUND_RATE)
    peaks = [float(f"{np.abs(part).max(initial=0):.3f}") for part in np.array_split(wave, SOUND_PEAKS)]
    content = io.BytesIO()
    soundfile.write(content, wave[: PLAYED_S * SOUND_RATE], SOUND_RATE, format="FLAC", subtype="PCM_16")
    return {"peaks": peaks, "sound": "data:audio/flac;base64," + base64.b64encode(content.getvalue()).decode()}
