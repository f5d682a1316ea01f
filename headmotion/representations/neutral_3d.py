"""The mean shape of a head in three dimensions, for motions that have only two."""

from __future__ import annotations

from torch import Tensor

from ..core.errors import SpecError
from ..core.interfaces.representation import Representation


def solid_neutral(representation: Representation) -> Tensor | None:
    """The resting pose ``[P, 3]`` in the unit frame, x right, y down, z away from the viewer.

    A representation of two dimensions lends the depth of its sibling, the same spec with ``dims`` 3. None where there
    is no such sibling.
    """
    if representation.dims == 3:
        return representation.neutral()
    if "dims" not in type(representation.spec).model_fields:
        return None
    try:
        sibling = type(representation.spec).model_validate(representation.spec.model_dump() | {"dims": 3})
    except SpecError:  # a resting pose that the user gave in two dimensions, say
        return None
    neutral: Tensor = sibling.build(None).neutral()  # type: ignore[attr-defined]
    return neutral if neutral.shape == (representation.points, 3) else None
