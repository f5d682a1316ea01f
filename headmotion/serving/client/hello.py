"""The first message of a client, from what a program asks for; mistakes are found before anything is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ...core.errors import ServingError, did_you_mean
from ...core.files import read_regular, reason_of, require_regular
from ...core.npz import as_float32, read_arrays
from ...core.short_repr import short_repr, shown
from ...media.file_kind import file_kind
from ..protocol import SAMPLE_TYPES, STREAM_PATH, VERSION, Controls
from .connect_options import ConnectOptions, Reference

RENAMED = {"sample_rate": "rate"}
"""Fields of the message that have another name than the option."""


def stream_address(url: Any) -> str:
    """Return the address of the WebSocket of a server, with its path or without.

    Raises:
        ServingError: not an address of a WebSocket.
    """
    expected, remedy = "an address such as ws://127.0.0.1:8765, or wss://...", ""
    if not isinstance(url, str):
        raise ServingError("client", expected, shown(url))
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("ws", "wss") and parts.hostname is not None and parts.port != 0
    except ValueError:
        raise ServingError("client", expected, short_repr(url)) from None
    if not fits:
        if parts.scheme in ("http", "https"):
            remedy = f"write ws{parts.scheme.removeprefix('http')}:// for {parts.scheme}://"
        raise ServingError("client", expected, short_repr(url), remedy)
    return url.rstrip("/").removesuffix(STREAM_PATH) + STREAM_PATH


def build_hello(options: ConnectOptions) -> tuple[dict[str, Any], bytes | None]:
    """Return the hello message, and the picture that follows it, if any.

    Raises:
        ServingError: an unknown option or control, a reference that cannot be read, or a value that is not JSON.
    """
    chosen: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    _check_names("options", chosen, ConnectOptions.__annotations__)
    if (kind := chosen.setdefault("samples", "float32")) not in tuple(SAMPLE_TYPES):
        raise ServingError("client", f"samples of type {' or '.join(SAMPLE_TYPES)}", shown(kind))
    controls = chosen.get("controls", {})
    if not isinstance(controls, Mapping):
        raise ServingError("controls", "controls by name, such as {'blink': 12}", shown(controls))
    _check_names("controls", controls, Controls.model_fields)
    picture = None
    if (reference := chosen.pop("reference", None)) is not None:
        chosen["reference"], picture = _sent_reference(reference)
    if "fps" in chosen:
        chosen["fps"] = str(chosen["fps"])
    fields = {RENAMED.get(name, name): _as_json(name, value) for name, value in chosen.items()}
    return {"type": "hello", "version": VERSION, **fields}, picture


def _check_names(what: str, given: Iterable[Any], known: Iterable[str]) -> None:
    for name in given:
        if name not in set(known):
            remedy = did_you_mean(name, known) if isinstance(name, str) else ""
            raise ServingError("client", f"{what} out of {', '.join(known)}", short_repr(name), remedy)


def _as_json(name: str, value: Any) -> Any:
    """Return a value as JSON has it; arrays become lists."""

    def convert(item: Any) -> Any:
        if hasattr(item, "tolist"):
            return item.tolist()
        raise TypeError(shown(item))

    try:
        return json.loads(json.dumps(value, default=convert, allow_nan=False))
    except TypeError as error:
        raise ServingError("client", f"{name}: numbers, texts, lists or values by name", str(error)) from None
    except (ValueError, RecursionError):
        raise ServingError("client", f"{name}: finite numbers, nested a few times at most", "other ones") from None


def _sent_reference(reference: Reference) -> tuple[dict[str, Any], bytes | None]:
    """Return the field that names the reference, and the picture that follows the message, if it is one."""
    if isinstance(reference, str | os.PathLike):
        reference = _read(Path(reference))
    if isinstance(reference, bytes):
        if not reference:
            raise ServingError("reference", "the content of a picture", "no bytes")
        return {"picture_bytes": len(reference)}, reference
    try:
        points = as_float32(reference)  # type: ignore[arg-type]
    except (ValueError, TypeError, RuntimeError):  # also that of a tensor elsewhere than in memory
        expected = "the path or content of a picture, an .npz, or points"
        raise ServingError("reference", expected, shown(reference)) from None
    if points.ndim != 2 or not np.isfinite(points).all():
        got = shown(points) if points.ndim != 2 else "a NaN or an infinite one"
        raise ServingError("reference", "points [P, D], finite numbers", got)
    return {"points": points.tolist()}, None


def _read(path: Path) -> Any:
    """Return the content of a picture, or the points of an ``.npz``."""
    try:
        require_regular(path)
        kind = file_kind(path)
        content = read_regular(path) if kind == "picture" else b""
        stored = read_arrays(path, "landmarks") if kind == "arrays" else {}
        got = "a video" if kind == "video" else "another file" if path.stat().st_size else "an empty file"
    except FileNotFoundError:
        raise ServingError("reference", "an existing file", str(path)) from None
    except (OSError, ValueError) as error:
        got, content, stored = reason_of(error), b"", {}
    if content or stored:
        return content or stored["landmarks"]
    raise ServingError("reference", "a picture, or an .npz with the array 'landmarks'", f"{path} ({got})")
