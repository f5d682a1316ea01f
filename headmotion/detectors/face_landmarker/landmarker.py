"""The networks put together: detections in windows of pictures, meshes in crops of faces, each in one batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...core.interfaces.renderer import Picture
from . import blaze_face, mesh_network
from .blaze_face import weighted_suppression
from .crops import Crop, Points
from .weights import Networks

BATCH = 32
"""Inputs of the networks at a time, so that memory is bounded however large a picture is."""


class Candidate(NamedTuple):
    """What may be a face: where the mesh network should look, and how sure the finder is."""

    crop: Crop
    score: float
    """0..1."""


class Face(NamedTuple):
    """A mesh in a picture."""

    points: Points
    """``[478, 3]`` in pixels of the picture; depth has the scale of x and y."""
    score: float
    """Probability that there is a face, 0..1."""


Look = tuple[Picture, Crop]
"""A part of a picture ``uint8 [H, W, 3]``."""

Network = Callable[[Tensor], tuple[Tensor, Tensor]]


class FaceLandmarker:
    """Finds faces, and the points of faces, in parts of pictures, which may be those of several pictures.

    Args:
        networks: with their weights.
        mirror: point ``i`` of a mirrored face is point ``mirror[i]`` of the face.
        min_confidence: least probability with which something counts as a face.
    """

    def __init__(self, networks: Networks, mirror: Sequence[int], min_confidence: float = 0.5) -> None:
        self.min_confidence = min_confidence
        self._networks, self._mirror = networks, list(mirror)
        self._run_finder: Network = networks.finder
        self._run_mesh: Network = networks.mesh

    def compiled(self) -> FaceLandmarker:
        """Return one with the same networks as graphs: they take half a second to make, which pays for videos."""
        compiled = FaceLandmarker(self._networks, self._mirror, self.min_confidence)
        compiled._run_finder, compiled._run_mesh = _graphs(self._networks)
        return compiled

    @torch.inference_mode()
    def find(self, windows: Sequence[Look]) -> list[list[Candidate]]:
        """Return, for each square window, what may be faces in it, the surest first; mirrored as their window."""
        finder, edge = self._networks.finder, blaze_face.INPUT_EDGE
        candidates = []
        for batch in _batches(windows):
            logits, raw = self._run_finder(self._inputs(batch, edge, replicate=False).mul_(2).sub_(1))
            sure = logits > _logit(self.min_confidence)
            for (_, window), mask, score, guesses in zip(batch, sure, logits, finder.decode(raw), strict=True):
                scores, points = weighted_suppression(score[mask].sigmoid(), guesses[mask])
                crops = (Crop.of_detection(keypoints).within(window) for keypoints in points.cpu().numpy())
                candidates.append([Candidate(*pair) for pair in zip(crops, scores.tolist(), strict=True)])
        return candidates

    @torch.inference_mode()
    def mesh(self, crops: Sequence[Look]) -> list[Face]:
        """Return the face that the mesh network finds in each crop."""
        edge, faces = mesh_network.INPUT_EDGE, []
        for batch in _batches(crops):
            meshes, logits = self._run_mesh(self._inputs(batch, edge, replicate=True))
            scores = logits.sigmoid().cpu().tolist()
            for (_, crop), mesh, score in zip(batch, meshes.cpu().numpy(), scores, strict=True):
                faces.append(Face(crop.to_picture(mesh[self._mirror] if crop.width < 0 else mesh, edge), score))
        return faces

    @torch.inference_mode()
    def blendshapes(self, meshes: Tensor) -> Tensor:
        """Return the weights ``[N, 52]`` of ARKit's blend shapes, 0..1, for meshes ``[N, 478, 3]``."""
        weights: Tensor = self._networks.blendshapes(meshes.to(self._networks.device))
        return weights.cpu()

    def _inputs(self, looks: Sequence[Look], edge: int, replicate: bool) -> Tensor:
        """Return the parts ``[N, 3, edge, edge]`` with colors in 0..1, channels last in memory."""
        cut = np.stack([crop.cut(picture, edge, replicate) for picture, crop in looks])
        return torch.from_numpy(cut).to(self._networks.device).permute(0, 3, 1, 2).float().div_(255)


def _batches(looks: Sequence[Look]) -> Iterator[Sequence[Look]]:
    return (looks[first : first + BATCH] for first in range(0, len(looks), BATCH))


@lru_cache(maxsize=2)
def _graphs(networks: Networks) -> tuple[Network, Network]:
    """Return finder and mesh network as graphs, made once for networks that many detectors share."""
    with torch.inference_mode(False):  # others may use them outside of the caller's mode
        finder = as_graph(networks.finder, blaze_face.INPUT_EDGE, networks.device)
        return finder, as_graph(networks.mesh, mesh_network.INPUT_EDGE, networks.device)


def as_graph(network: nn.Module, edge: int, device: torch.device) -> Network:
    """Return a network as a frozen graph of TorchScript; where torch can make none, as it is.

    The networks are hundreds of small operations, which take half as long again when Python calls them one by one.
    """
    pictures = torch.zeros(1, 3, edge, edge, device=device).to(memory_format=torch.channels_last)
    with warnings.catch_warnings(), suppress(RuntimeError, NotImplementedError):
        warnings.simplefilter("ignore")  # torch announces its end for newer versions of Python
        graph = torch.jit.trace(network, pictures, check_trace=False)  # type: ignore[no-untyped-call]
        return cast("Network", torch.jit.freeze(graph))
    return network


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability)) if probability < 1 else math.inf
