"""What the page needs to warp a picture of a face: the constants of `PortraitWarper`, as JSON values.

The page computes each frame from them with the same formulas (``page/portrait_warp.js``).
"""

from __future__ import annotations

import base64
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from ..core.interfaces.renderer import Picture
from ..core.interfaces.representation import Representation
from ..geometry.complex_points import as_complex
from ..media.image import opaque
from ..renderers.portrait.eye import EyeLayer
from ..renderers.portrait.mouth import MouthLayer
from ..renderers.portrait.opening_layer import OpeningLayer
from ..renderers.portrait.openings import Opening
from ..renderers.portrait.portrait import Portrait
from ..renderers.portrait.turn_limit import SolidFace
from ..renderers.specs import PortraitSpec

HEAD_EDGE, MAX_EDGE = 512, 640
"""Longer edge of what is drawn of a picture: of its head, and of all of it (px)."""
Crop = Literal["head", "none"]


def portrait_spec(picture: Picture, crop: Crop) -> PortraitSpec:
    """Return how the page draws a picture; videos are rendered the same way."""
    return PortraitSpec(size=HEAD_EDGE if crop == "head" else min(MAX_EDGE, max(picture.shape[:2])), crop=crop)


def face_packet(
    picture: Picture, pose: npt.ArrayLike, representation: Representation, crop: Crop = "head"
) -> dict[str, Any]:
    """Return the face in a picture, ready to be warped.

    Args:
        picture: ``uint8 [H, W, 3 or 4]``.
        pose: landmarks ``[P, 2]`` in it (px).
        representation: what the landmarks mean.
        crop: ``head`` draws the head only, ``none`` the whole picture.

    Returns:
        What is warped (``picture``, a PNG; ``size``), the part of it that is shown (``shown``: x0, y0, x1, y1), the
        landmarks in it (``pose``), how it lies in the whole picture (``to_view``: position ``x`` there is at
        ``scale * x + shift`` here), and the constants of the warp.

    Raises:
        ImageError: the landmarks lie outside of the picture.
    """
    portrait = Portrait(portrait_spec(picture, crop), representation)
    view, warper = portrait.prepare(opaque(picture), as_complex(pose))
    scale = view.width / view.box.size[0]
    shift = view.to_view(np.zeros(1, np.complex128))[0]
    return {
        "size": [view.width, view.height],
        "shown": [view.shown.x0, view.shown.y0, view.shown.x1, view.shown.y1],
        "picture": _png(warper.colors),
        "pose": _pairs(warper.pose),
        "to_view": {"scale": scale, "shift": [float(shift.real), float(shift.imag)]},
        "edges": [list(edge) for edge in representation.edges],
        "groups": {name: list(points) for name, points in representation.groups.items()},
        "pairs": {name: [list(pair) for pair in pairs] for name, pairs in representation.openings.items()},
        "scale_pair": list(representation.scale_pair),
        "rigid": list(warper.rigid),
        "jaw": warper.parallax.jaw,
        "solid": None if (solid := warper.parallax.solid) is None else _solid(solid),
        "head": {
            "center": _pair(warper.head.center),
            "up": _pair(warper.head.up),
            "face": warper.head.face,
        },
        "openings": [_opening(*pair) for pair in zip(warper.openings, warper.layers, strict=True)],
    }


def _solid(solid: SolidFace) -> dict[str, Any]:
    return {"inverse": solid.inverse.T.tolist(), "depths": solid.depths.tolist(), "max_turn": solid.max_turn}


def _opening(opening: Opening, layer: OpeningLayer) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": opening.name,
        "upper": list(opening.upper),
        "lower": list(opening.lower),
        "upper_curve": opening.upper_curve.tolist(),
        "lower_curve": opening.lower_curve.tolist(),
    }
    shared = {"nearness": layer.nearness.tolist()}
    if isinstance(layer, MouthLayer):
        box = layer.still_box
        inside = {
            "edge_px": layer.edge_px,
            "still_box": [box.x0, box.y0, box.x1, box.y1],
            "depth": _array(layer.depth.astype("<f4")),
            "teeth": _array(layer.painted_teeth.astype("<f4")),
            "lips": layer.lips.tolist(),
            "skin": layer.skin.tolist(),
            "teeth_shown": layer.teeth_shown,
        }
        return fields | {"mouth": shared | inside}
    assert isinstance(layer, EyeLayer)
    box = layer.skin_box
    inside = {
        "skin_box": [box.x0, box.y0, box.x1, box.y1],
        "skin_scale": layer.skin_scale,
        "skin": _array(layer.skin),
        "lash_color": layer.lash_color.tolist(),
    }
    return fields | {"eye": shared | inside}


def _array(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Return an array ``[h, w]`` or ``[h, w, 3]`` as its size and its bytes."""
    height, width = values.shape[:2]
    return {"size": [width, height], "data": base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()}


def _png(colors: Picture) -> str:
    encoded = cv2.imencode(".png", cv2.cvtColor(colors, cv2.COLOR_RGB2BGR))[1]
    return "data:image/png;base64," + base64.b64encode(encoded.tobytes()).decode()


def _pair(value: complex) -> list[float]:
    return [float(value.real), float(value.imag)]


def _pairs(points: npt.NDArray[Any]) -> list[list[float]]:
    return [_pair(value) for value in points.tolist()]
