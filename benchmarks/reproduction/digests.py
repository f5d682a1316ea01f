"""Settings as a digest: what was made with the same ones need not be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from headmotion.core.spec import Spec


def stated(value: Any) -> Any:
    """A spec as JSON values, without what is left at its default: a field that comes later changes no digest."""
    if isinstance(value, Spec):
        told = {name: getattr(value, name) for name in type(value).model_fields}
        fields = type(value).model_fields.items()
        defaults = {name: field.get_default(call_default_factory=True) for name, field in fields}
        return {name: stated(each) for name, each in told.items() if name == "type" or each != defaults[name]}
    if isinstance(value, dict):
        return {name: stated(each) for name, each in value.items()}
    return [stated(each) for each in value] if isinstance(value, tuple | list) else str(value)


def digest(settings: Mapping[str, Any]) -> str:
    """Of JSON values."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
