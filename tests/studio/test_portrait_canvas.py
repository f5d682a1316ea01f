"""The picture that the browser draws by WebGL against the one that Python renders."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image

import headmotion as hm
from headmotion.geometry.complex_points import as_complex
from headmotion.renderers.portrait.portrait import Portrait
from headmotion.serving import Server
from headmotion.studio.face_packet import portrait_spec
from headmotion.studio.faces import bundled_face, landmarks68

MEAN, FAR, FAR_SHARE = 0.15, 12, 0.002
"""Largest mean difference (of 255), and the share of pixels that may differ by more than ``FAR``: those at edges of
lips and lids, whose coverage is computed in closed form here and by samples there."""
DRAW = """async ([face, poses]) => {
  const { PortraitCanvas } = await import("/portrait_canvas.js");
  const picture = await (await fetch(face.picture)).blob();
  const image = await createImageBitmap(picture, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = document.createElement("canvas");
  const portrait = new PortraitCanvas(canvas, face, image);
  return poses.map((pose) => (portrait.draw(pose), canvas.toDataURL()));
}"""


def poses() -> np.ndarray:
    """Return poses ``[4, 68, 2]``: at rest; speaking, with eyes that close; turned, with wide eyes and closed lips; and
    turned further to the side than the picture shows."""
    still = bundled_face().pose.astype(float)
    talking, turned = still.copy(), still.copy()
    talking[[65, 66, 67, 55, 56, 57, 58, 59], 1] += 9
    talking[5:12, 1] += 6
    talking[[37, 38, 43, 44], 1] += 4
    center = still.mean(0)
    turned = center + (turned - center) @ np.array([[0.985, 0.17], [-0.17, 0.985]]) * 1.03 + [6, -3]
    turned[[37, 38, 43, 44], 1] -= 2
    turned[27:36, 0] += 3
    turned[[65, 66, 67], 1] = turned[[63, 62, 61], 1] + 0.3
    aside = hm.controls.look_at(hm.Motion(torch.tensor(still[None]).float(), 25), 45, 0).values[0].numpy()
    return np.stack([still, talking, turned, aside])


@pytest.mark.parametrize("crop", ["head", "none"])
def test_browser_and_python_draw_the_same_pictures(page: Any, studio: Server, crop: Literal["head", "none"]) -> None:
    face = bundled_face()
    view, warper = Portrait(portrait_spec(face.picture, crop), landmarks68()).prepare(
        face.picture, as_complex(face.pose)
    )
    viewed = [view.to_view(as_complex(pose)) for pose in poses()]
    page.goto(f"{studio.address}/complex.js")  # the modules without the page
    flat = [np.stack([pose.real, pose.imag], -1).ravel().tolist() for pose in viewed]
    drawn = page.evaluate(DRAW, [face.described(crop), flat])
    for pose, data in zip(viewed, drawn, strict=True):
        content = base64.b64decode(data.partition(",")[2])
        difference = np.abs(np.asarray(Image.open(BytesIO(content)).convert("RGB"), int) - view.cut(warper.warp(pose)))
        assert difference.mean() < MEAN
        assert (difference.max(-1) > FAR).mean() < FAR_SHARE
