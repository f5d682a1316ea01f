"""Poses in a single picture."""

import numpy as np
import torch

import headmotion as hm


def poses(detector: hm.Detector, picture: np.ndarray) -> list[torch.Tensor]:
    """Return the poses in a picture, after a check of boxes and scores."""
    (found,) = detector.detect([picture])
    for detection in found:
        left, top, right, bottom = detection.box
        assert left < right and top < bottom and 0 < detection.score <= 1
    return [detection.pose for detection in found]
