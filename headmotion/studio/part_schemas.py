"""The fields of parts, also those of plugins, as JSON schemas from which the page makes forms."""

from __future__ import annotations

import logging
from typing import Any

from ..core.errors import describe
from ..core.plugins import registry

_log = logging.getLogger("headmotion")


def part_schemas(kind: str) -> dict[str, Any]:
    """Return the JSON schema of each type of a kind by its name; a plugin's type that has none is left out.

    Args:
        kind: of the parts, such as ``generator``.
    """
    schemas = {}
    for name in registry().types(kind):
        try:
            schemas[name] = registry().resolve(kind, name).model_json_schema()
        except Exception as error:  # a plugin may have fields that none can describe
            _log.warning("%s %s has no form in the studio: %s", kind, name, describe(error))
    return schemas
