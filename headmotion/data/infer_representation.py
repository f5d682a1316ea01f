"""The representation that landmarks are in, if it is not named."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import CorpusError
from ..core.interfaces.specs import RepresentationSpec
from ..representations.specs import BlendshapesSpec, KeypointsSpec, Landmarks68Spec, Mesh478Spec


def infer_representation(shape: Sequence[int]) -> RepresentationSpec:
    """Return the most likely representation of landmarks ``[T, P, D]``: one that their number suggests, else keypoints.

    Raises:
        CorpusError: none fits.
    """
    points, dims = shape[-2], shape[-1]
    # The layouts of iBUG (68) and MediaPipe (478), and ARKit's 52 blend shapes.
    if points == 68 and dims in (2, 3):
        return Landmarks68Spec(dims=3 if dims == 3 else 2)
    if points == 478 and dims in (2, 3):
        return Mesh478Spec(dims=3 if dims == 3 else 2)
    if (points, dims) == (52, 1):
        return BlendshapesSpec()
    if dims == 2 and points >= 2:
        return KeypointsSpec(points=points)
    expected = "landmarks [T, 68 or 478, 2 or 3], [T, 52, 1] or [T, P, 2], where no representation is named"
    raise CorpusError("corpus", expected, f"the shape {list(shape)}", "name the representation")
