"""A detector whose faces lie where the brightness of a picture says, and videos for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import torch

import headmotion as hm
from headmotion.core.interfaces.detector import box_of

FACE = hm.PipelineSpec().representation.build()


def pose(x: float, y: float, size: float) -> torch.Tensor:
    """The neutral face with its middle at ``x, y`` and ``size`` px between the outer eye corners."""
    points = FACE.neutral()
    return (points - 0.5) * (size / float((points[36] - points[45]).norm())) + torch.tensor([x, y])


class Brightness(hm.Detector):
    """Finds a face whose x is the brightness of the picture, and none in a black one."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        return [[] if image.mean() < 5 else self.find(float(image.mean())) for image in images]

    def find(self, brightness: float) -> list[hm.Detection]:
        return [hm.Detection(one, box_of(one)) for one in (pose(1000, 50, 50), pose(brightness, 50, 50))]


def video(path: Path, brightness: list[int], rate: int = 25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "1", "g": "50"})
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for value in brightness:
            picture = np.full((32, 64, 3), value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
