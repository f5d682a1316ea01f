"""Specs with presets: named values of many fields, of which others can be changed."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import model_validator

from .errors import SpecError
from .spec import Spec


class PresetSpec(Spec):
    """Base of specs with presets: ``{"preset": name, ...}`` is the preset's values, changed by the other fields.

    A part's spec has it before the base of its kind: ``class MySpec(PresetSpec, GeneratorSpec)``.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """Values of fields by the name of a preset."""

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "preset" not in data:
            return data
        name = data["preset"]
        if not isinstance(name, str) or name not in cls.presets:
            raise SpecError(f"{cls.type_name()} spec", f"a preset among {', '.join(cls.presets)}", repr(name))
        return cls.presets[name] | {key: value for key, value in data.items() if key != "preset"}
