"""Settings of a renderer that change after training: those that it has, and that its weights fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import SpecError
from ..core.interfaces.renderer import Renderer, SupportsTraining


def changed_spec(renderer: Renderer, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON values of a renderer's spec with other values of some fields.

    Args:
        renderer: the renderer.
        view: values by field, such as ``size`` and ``crop``.

    Raises:
        SpecError: the spec has no such field, or the value is out of its range.
    """
    spec = renderer.spec
    for name, value in view.items():
        if name not in type(spec).model_fields:
            expected = f"no {name}, which it cannot be given{_what_it_draws(renderer)}"
            raise SpecError(f"renderer {spec.type_name()}", expected, repr(value), f"leave out {name}")
    values = {**spec.model_dump(mode="json"), **view}
    try:
        type(spec).model_validate(values)
    except SpecError as error:
        if next(renderer.parameters(), None) is None:
            raise
        # Another value that is allowed would not fit the weights either.
        trained = ", ".join(f"{name} {getattr(spec, name)}" for name in view)
        expected = f"{trained}, as it was trained{_what_it_draws(renderer)}"
        remedy = f"leave out {' and '.join(view)}"
        raise SpecError(f"renderer {spec.type_name()}", expected, error.got, remedy) from None
    return values


def take_weights(built: Renderer, own: Renderer) -> None:
    """Give a renderer the weights of a pipeline's own.

    Args:
        built: a new renderer.
        own: that of the pipeline.

    Raises:
        SpecError: they are of two types, or the weights do not fit the settings of ``built``.
    """
    name = f"renderer {built.spec.type_name()}"
    if type(built.spec) is not type(own.spec):
        if next(built.parameters(), None) is not None:
            remedy = "load a model that was saved with this renderer"
            raise SpecError(name, "weights that the pipeline has", "weights drawn at random", remedy)
        return
    try:
        built.load_state_dict(own.state_dict())
    except RuntimeError:
        trained, requested = (renderer.spec.model_dump(mode="json") for renderer in (own, built))
        changed = [field for field in requested if requested[field] != trained.get(field)]
        expected, got = (", ".join(f"{field} {values[field]}" for field in changed) for values in (trained, requested))
        remedy = f"leave out {' and '.join(changed)}, or load a model that was trained so"
        raise SpecError(name, f"{expected}, as it was trained{_what_it_draws(own)}", got, remedy) from None


def _what_it_draws(renderer: Renderer) -> str:
    """Return the pictures of a renderer that is trained in words, after a colon; nothing for others."""
    if not isinstance(renderer, SupportsTraining):
        return ""
    height, width = renderer.training_picture_size
    return f": it draws {width} x {height} pixels of what its training pictures show, such as the square around a face"
