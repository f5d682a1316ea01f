"""Motion files: the whole of a motion as ``.npz`` or ``.json``, and formats of other programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from .booleans import StrictNumbers
from .errors import HeadmotionError, MotionError
from .files import atomic_output, read_regular, reason_of, write_text
from .interfaces.representation import UnitSquare
from .limits import TEXT_BYTES, limit
from .npz import as_float32, read_arrays
from .plugins import MOTION_SUFFIXES, registry
from .short_repr import short_repr, shown
from .unique_keys import parse_json
from .validation import validated

if TYPE_CHECKING:
    from .motion import Motion

MAX_PX = 1e9
"""Largest place or side of a square in a file (px)."""
REWRITE = "write it again with Motion.save"


class _StoredMeta(StrictNumbers):
    """What a motion file holds besides the frames and their rate."""

    representation: dict[str, Any]
    units: Literal["px", "unit"]
    provenance: dict[str, Any]
    frame: Any = None
    reference: list[list[float]] | None = None
    basis: tuple[str, ...] = ()


def write_motion(motion: Motion, path: Path) -> Path:
    """Write a motion in the format of a suffix; the file appears whole or not at all.

    Raises:
        MotionError: another suffix, a motion that the format cannot hold, or a file that cannot be written.
    """
    write = _writer(motion, path)
    with motion_output(path, "motion file") as temporary:
        write(motion, temporary)
    return path


@contextmanager
def motion_output(path: Path, component: str) -> Iterator[Path]:
    """Yield a temporary path, as `atomic_output` does.

    Args:
        path: the file that appears, whole or not at all.
        component: what writes it, for the error.

    Raises:
        MotionError: it cannot be written.
    """
    try:
        with atomic_output(path) as temporary:
            yield temporary
    except OSError as error:
        raise MotionError(component, "a file that can be written", f"{path} ({reason_of(error)})") from error


def other_reader(path: Path) -> Callable[[Path], Motion] | None:
    """Return what reads the format of another program; None for files that `stored_fields` reads.

    Raises:
        MotionError: a format that is only written.
    """
    suffix = path.suffix.lower()
    if suffix in MOTION_SUFFIXES:
        return None
    if (reader := registry().motion_readers.get(suffix)) is None and suffix in registry().motion_writers:
        expected = f"a format that is read ({', '.join(registry().motion_suffixes)})"
        got, remedy = f"{path}, which other programs read", "save the motion as .npz, too, which holds all of it"
        raise MotionError("motion file", expected, got, remedy)
    return reader


def stored_fields(path: Path) -> dict[str, Any]:
    """Return the fields of a motion by name, from a file ``.npz`` or ``.json``; call it within `file_errors`."""
    stored = _read_json(path) if path.suffix.lower() == ".json" else _read_npz(path)
    meta, values = stored["meta"], torch.from_numpy(as_float32(stored["values"]))
    if values.dim() != 3:
        raise MotionError("values", "frames [T, P, D]", f"the shape {list(values.shape)}")
    reference = None if meta.reference is None else _stored_reference(meta.reference, values)
    if not isinstance(meta.representation.get("type"), str):
        raise MotionError("representation", "a representation with its 'type'", short_repr(meta.representation))
    return {
        "values": values,
        "fps": str(stored["fps"]),
        "representation": meta.representation,
        "frame": None if meta.frame is None else _stored_square(meta.frame),
        "units": meta.units,
        "reference": reference,
        "provenance": meta.provenance,
        "basis": {name: torch.from_numpy(as_float32(stored[f"basis.{name}"])) for name in meta.basis},
    }


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into a `MotionError` that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise MotionError("motion file", "an existing file", str(path)) from None
    except HeadmotionError as error:
        raise MotionError("motion file", error.expected, f"{error.got} in {path}", REWRITE) from None
    except Exception as error:  # a damaged archive fails in zipfile, zlib, struct, json or numpy
        got = f"{path} ({reason_of(error)})"
        expected = f"a motion file ({', '.join(registry().motion_suffixes)})"
        raise MotionError("motion file", expected, got, REWRITE) from None


def _writer(motion: Motion, path: Path) -> Callable[[Motion, Path], object]:
    """Return what writes a motion in the format of a suffix."""
    if path.suffix.lower() in MOTION_SUFFIXES:
        return write_json if path.suffix.lower() == ".json" else write_npz
    writer = registry().motion_writers.get(path.suffix.lower())
    if writer is None:
        raise MotionError("motion file", f"a name ending in one of {', '.join(registry().written_suffixes)}", path.name)
    if not len(motion):
        raise MotionError("motion file", "a motion with frames", "none")
    if not bool(torch.isfinite(motion.values).all()):
        raise MotionError("motion file", "finite numbers", "NaN or infinity")
    return writer


def _arrays(motion: Motion) -> dict[str, Any]:
    basis = {f"basis.{name}": tensor.cpu().numpy() for name, tensor in motion.basis.items()}
    return {"values": motion.values.cpu().numpy()} | basis


def write_json(motion: Motion, path: Path) -> None:
    """Write all of a motion as JSON."""
    content = {name: array.tolist() for name, array in _arrays(motion).items()}
    write_text(path, json.dumps(content | {"fps": str(motion.fps), "meta": motion.meta()}))


def write_npz(motion: Motion, path: Path) -> None:
    """Write all of a motion as arrays of NumPy."""
    # The rate is text, because a float cannot hold 30000/1001.
    text = {"fps": str(motion.fps), "meta": json.dumps(motion.meta(), sort_keys=True)}
    with path.open("wb") as stream:
        np.savez_compressed(stream, **(_arrays(motion) | text))


def _read_npz(path: Path) -> dict[str, Any]:
    stored: dict[str, Any] = dict(read_arrays(path, "values", "fps", "meta"))
    meta = validated(_StoredMeta, parse_json(str(stored["meta"])), "meta", error=MotionError)
    basis = read_arrays(path, *(f"basis.{name}" for name in meta.basis))
    return stored | {"meta": meta} | dict(basis)


def _read_json(path: Path) -> dict[str, Any]:
    stored = parse_json(read_regular(path, limit(TEXT_BYTES)))
    if not isinstance(stored, dict):
        raise MotionError("motion", "values, fps and meta by name", shown(stored))
    if any(_has_boolean(values) for name, values in stored.items() if name != "meta"):
        raise MotionError("motion", "numbers", "true or false among them")
    return stored | {"meta": validated(_StoredMeta, stored["meta"], "meta", error=MotionError)}


def _has_boolean(values: Any) -> bool:
    """Return whether a boolean is among numbers, as one of which NumPy would take it."""
    return any(map(_has_boolean, values)) if isinstance(values, list) else isinstance(values, bool)


def _stored_reference(stored: list[list[float]], frames: torch.Tensor) -> torch.Tensor:
    """Return the pose that a file names, of as many points as the frames have.

    Raises:
        MotionError: another number of points, or of numbers per point.
    """
    reference, expected = torch.from_numpy(as_float32(stored)), list(frames.shape[1:])
    if list(reference.shape) != expected:
        raise MotionError("reference", f"a pose {expected}, as the frames are", f"the shape {list(reference.shape)}")
    return reference


def _stored_square(stored: Any) -> UnitSquare:
    """Return the square that a file names; by it values are divided, so it must have a size.

    Raises:
        MotionError: anything but three finite numbers, the side above 0.
    """
    exact = isinstance(stored, dict) and stored.keys() == {"x", "y", "side"}
    values: list[Any] = [stored[name] if exact else None for name in ("x", "y", "side")]
    if not all(type(v) in (int, float) and abs(v) <= MAX_PX for v in values) or not values[2] > 0:
        raise MotionError("frame", f"numbers x, y and side up to {MAX_PX:g}, side above 0", short_repr(stored))
    return UnitSquare(*map(float, values))
