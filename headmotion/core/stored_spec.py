"""Specs as a checkpoint stores them: JSON values, in which every dict with a ``type`` is the spec of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .errors import CheckpointError, PluginError
from .plugins import OWN_DISTRIBUTION, registry


def stored_parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every dict with a ``type`` inside JSON values."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from stored_parts(item)


def distribution_of(type_name: str) -> str:
    """Return the distribution that owns a type; registration enforces the name."""
    namespace, slash, _ = type_name.rpartition("/")
    return f"{OWN_DISTRIBUTION}-{namespace}" if slash else OWN_DISTRIBUTION


def require_plugins(spec: Any, path: Path) -> None:
    """Refuse a stored spec with a part whose plugin is not loaded.

    Args:
        spec: the spec as JSON values.
        path: the checkpoint, for the error.

    Raises:
        CheckpointError: there is one; the remedy names the package.
    """
    for part in stored_parts(spec):
        namespace, slash, _ = part["type"].rpartition("/")
        if slash and (remedy := registry().absent(namespace)):
            raise CheckpointError("checkpoint", f"the plugin of {part['type']!r}, which {path} needs", "none", remedy)


def without_downloads(spec: Any) -> Any:
    """Return a stored spec in which no part has ``fetch`` set: only the user of this call may ask for a download."""
    return _map_parts(spec, lambda part: part | {"fetch": False} if "fetch" in part else part)


def migrated(spec: Any, written_by: Mapping[str, str]) -> Any:
    """Return a stored spec after passing every part, innermost first, to its own plugin's migration once.

    Args:
        spec: the spec as JSON values.
        written_by: versions of the distributions that wrote it, by name.

    Raises:
        CheckpointError: a migration failed, or returned no dict.
    """
    return _map_parts(spec, partial(_migrated_part, written_by))


def _map_parts(value: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return JSON values with every part replaced by what ``change`` returns for it, inner parts first."""
    if isinstance(value, list):
        return [_map_parts(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    spec = {key: _map_parts(item, change) for key, item in value.items()}
    return change(spec) if isinstance(spec.get("type"), str) else spec


def _migrated_part(written_by: Mapping[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    namespace = spec["type"].rpartition("/")[0]
    stored_version = written_by.get(distribution_of(spec["type"]), "")
    for record in registry().records:
        owns = record.name == namespace if namespace else record.dist == OWN_DISTRIBUTION
        if owns and record.status == "ok":
            arguments = {"spec": dict(spec), "version": stored_version}
            try:
                migrated = registry().call(record.name, "headmotion_migrate", **arguments) or spec
            except PluginError as error:
                raise CheckpointError(f"plugin {record.name}", f"to migrate {spec['type']!r}", error.got) from error
            if not isinstance(migrated, dict):
                got = f"a {type(migrated).__name__}"
                raise CheckpointError(f"plugin {record.name}", f"a dict from migrating {spec['type']!r}", got)
            spec = migrated
    return spec
