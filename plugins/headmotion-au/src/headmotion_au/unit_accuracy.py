"""Agreement of action units between drawn and recorded pictures, both measured by a detector of blend shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

import headmotion as hm

from .conversion import blendshapes_to_units
from .facs import PRESENCE
from .specs import UnitAccuracySpec

NAME = "metric au/unit-accuracy"
MIN_DEVIATION = 1e-3
"""Standard deviation below which a unit does not move, so that a correlation means nothing."""


class UnitAccuracy(hm.Metric):
    """Correlation over time, mean absolute difference, and F1 of presence, of each unit and of all.

    Both are measured by the same detector, so that its bias cancels. Frames in which it finds no face in either picture
    are left out and counted.
    """

    needs = frozenset({"pictures"})

    def __init__(self, spec: UnitAccuracySpec) -> None:
        super().__init__(spec)
        self.shapes = hm.resolve_spec("representation", "blendshapes").build()
        self.detector = hm.resolve_spec("detector", "face-mesh").build(hm.BuildContext(self.shapes, 0))
        names = [f"{value}_{unit}" for value in ("correlation", "f1") for unit in ("all", *spec.units)]
        self.better = dict.fromkeys((*names, "faces_found"), "higher") | {"difference": "lower"}

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The units, the step between frames, and the intensity of presence."""
        return self.spec.model_dump(mode="json") | {"presence": PRESENCE, "detector": "face-mesh"}

    @torch.no_grad()
    def observe(self, clip: hm.MetricInput) -> hm.Observation:
        """Find the units of every few frames in both pictures.

        Raises:
            MotionError: there are no pictures.
        """
        if clip.pictures is None:
            raise hm.MotionError(NAME, "pictures of the clip", "none")
        pair = clip.pictures
        drawn, real = (self._units(pictures[:: self.spec.every]) for pictures in (pair.generated, pair.real))
        detected = (drawn.isfinite() & real.isfinite()).all(-1)
        return {"drawn": drawn[detected], "real": real[detected], "found": detected.double().mean()}

    def per_clip(self, observed: hm.Observation) -> Mapping[str, float]:
        """Return the values of one clip."""
        return dict(self.figures([observed]).values)

    def figures(self, observed: Sequence[hm.Observation]) -> hm.MetricValues:
        """Return correlations, means over clips, and F1 over all frames."""
        values = {"faces_found": float(np.mean([float(clip["found"]) for clip in observed]))}
        notes = []
        drawn, real = (torch.cat([clip[name] for clip in observed]) for name in ("drawn", "real"))
        if not len(drawn):
            return hm.MetricValues(values, ("no face was found in any frame",))
        values["difference"] = float((drawn - real).abs().mean())
        for name, scores in (("correlation", self._correlations(observed)), ("f1", _f1(drawn, real))):
            known = {unit: score for unit, score in zip(self.spec.units, scores, strict=True) if np.isfinite(score)}
            values |= {f"{name}_{unit}": float(score) for unit, score in known.items()}
            if known:
                values[f"{name}_all"] = float(np.mean(list(known.values())))
            if missing := [unit for unit in self.spec.units if unit not in known]:
                notes.append(f"no {name} of {', '.join(missing)}, which the recorded clips do not show")
        return hm.MetricValues(values, tuple(notes))

    def _correlations(self, observed: Sequence[hm.Observation]) -> list[float]:
        rows = np.array([_correlation(clip["drawn"], clip["real"]) for clip in observed])
        return [float(column[np.isfinite(column)].mean()) if np.isfinite(column).any() else np.nan for column in rows.T]

    def _units(self, pictures: Tensor) -> Tensor:
        """Return the units ``[t, N]`` in pictures ``uint8 [t, 3, H, W]``, NaN where there is no face."""
        missing = torch.full((len(self.spec.units),), torch.nan)
        tracker = self.detector.tracker() if isinstance(self.detector, hm.SupportsTracking) else None
        rows = []
        for picture in pictures.permute(0, 2, 3, 1).contiguous().numpy():
            detections = self.detector.detect([picture])[0] if tracker is None else tracker.push(picture)
            rows.append(self._to_units(detections[0].pose) if detections else missing)
        return torch.stack(rows)

    def _to_units(self, pose: Tensor) -> Tensor:
        return blendshapes_to_units(pose[:, 0], self.shapes.point_names, self.spec.units)


def _correlation(drawn: Tensor, real: Tensor) -> list[float]:
    """Return the correlation of each unit ``[N]`` over frames ``[t, N]``; NaN where the recorded one does not move."""
    values = []
    for ours, theirs in zip(drawn.double().T, real.double().T, strict=True):
        moves = len(theirs) > 1 and float(theirs.std()) > MIN_DEVIATION
        # A drawing that does not move at all has nothing in common with a recording that does.
        still = len(ours) < 2 or float(ours.std()) < MIN_DEVIATION
        pair = torch.stack([ours, theirs])
        values.append(np.nan if not moves else 0.0 if still else float(torch.corrcoef(pair)[0, 1]))
    return values


def _f1(drawn: Tensor, real: Tensor) -> list[float]:
    """Return the F1 of presence of each unit over frames ``[t, N]``; NaN where it is never present in the recording."""
    ours, theirs = drawn >= PRESENCE, real >= PRESENCE
    hits, total = (ours & theirs).sum(0).double(), (ours.sum(0) + theirs.sum(0)).double()
    return [
        float(2 * hit / all_) if there else np.nan for hit, all_, there in zip(hits, total, theirs.any(0), strict=True)
    ]
