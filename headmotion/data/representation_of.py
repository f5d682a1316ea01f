"""The representation that landmarks are in, where nobody says."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import CorpusError
from ..core.spec import RepresentationSpec
from ..representations.specs import KeypointsSpec, Landmarks68Spec


def representation_of(shape: Sequence[int]) -> RepresentationSpec:
    """What landmarks of the shape ``[T, P, D]`` most likely are: 68 face landmarks, else plain keypoints.

    Raises:
        CorpusError: neither fits.
    """
    points, dims = shape[-2], shape[-1]
    if points == 68 and dims in (2, 3):
        return Landmarks68Spec(dims=3 if dims == 3 else 2)
    if dims == 2 and points >= 2:
        return KeypointsSpec(points=points)
    expected = "landmarks [T, 68, 2 or 3] or [T, P, 2], where no representation is named"
    raise CorpusError("corpus", expected, f"the shape {list(shape)}", "name the representation")
