"""Damage that leaves a file well-formed: one value of a document replaced, by seed alone."""

from __future__ import annotations

import csv
import io
import json
import struct
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np

STRANGE: list[Any] = [
    *[None, True, 0, 1, -1, 0.5, -0.5, 3, 1000, 70_000, 10**9, 2**31, 2**63, 2**64, 10**30, -(10**30)],
    *[1e-300, 1e300, float("nan"), float("inf"), "nan", "1e400", "0", "1/0", "30000/1001", "1e999999999"],
    *["", " ", "é" * 1000, "\ud800", "\0", "\x1b[31m", "\u202e", "!!python/name:os", "<script>", "a" * 100_000],
    *["../beside/canary", "../../beside/canary", "../beside", "/etc/passwd", "C:x", "..\\beside\\x", "."],
    *["ms-sync", "absent/net", "whisper", "landmarks68", "keypoints", "face-alignment", "auto", "/dev/zero"],
    *[[], [[]], [0], ["a"], [None] * 50, [1e308] * 3, {}, {"type": "ms-sync"}, {"type": {}}, {"": ""}],
    *[{"type": "keypoints", "points": 10**9}, {"type": "face-alignment", "fetch": True}, {"a": {"b": {"c": 1}}}],
]
"""Values of the wrong type, beyond every range, paths that lead away, and parts that are not meant here."""

LONG = {"steps", "clips"}
"""Keys of which a large number is no mistake."""


def replaced(document: Any, rng: Random) -> str:
    """Replace, remove, double or scale one value of JSON values in place, and return what was done."""
    slots = list(_slots(document))
    if not slots:
        return "nothing"
    holder, key = rng.choice(slots)
    action = rng.choice(["strange"] * 5 + ["removed", "swapped", "scaled", "added"])
    value = holder[key]
    if action == "removed":
        del holder[key]
    elif action == "swapped":
        other, other_key = rng.choice(slots)
        value = other[other_key]
        holder[key] = json.loads(json.dumps(value))
    elif action == "scaled" and isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = value * rng.choice([-1, 2, 10, 1000, 10**6])
    elif action == "added" and isinstance(holder, dict):
        holder[rng.choice(["x", "type", "fetch", "", "weights", "preset"])] = rng.choice(STRANGE)
    else:
        holder[key] = rng.choice(STRANGE)
    return f"{action} {str(key)[:30]}"


def _slots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every holder and key inside JSON values, of long lists only the ends."""
    entries = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for key, inner in entries if len(entries) < 9 or isinstance(value, dict) else [*entries[:4], *entries[-4:]]:
        if key not in LONG:
            yield value, key
            yield from _slots(inner)


def json_document(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Change a value of a JSON file; YAML files of the campaign are JSON too."""
    value = json.loads(good)
    if rng.random() < 0.03:
        depth = rng.choice([100, 3000, 100_000])
        return b"[" * depth + b"]" * depth, f"nested {depth}"
    done = replaced(value, rng)
    return _dumped(value), done


def json_lines(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Change a line of a file of JSON lines."""
    lines = good.splitlines() or [b"{}"]
    number = rng.randrange(len(lines))
    lines[number], done = json_document(lines[number], rng)
    return b"\n".join(lines) + b"\n", f"line {number}: {done}"


def safetensors_file(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Change an entry of the header, of the JSON in its metadata, or the values of a tensor."""
    end = 8 + int.from_bytes(good[:8], "little")
    header, data = json.loads(good[8:end]), bytearray(good[end:])
    texts = [key for key, text in header.get("__metadata__", {}).items() if text[:1] == "{"]
    kind = rng.choice(["metadata", "metadata", "header", "values"] if texts else ["header", "values"])
    if kind == "metadata":
        stored = json.loads(header["__metadata__"][texts[0]])
        done = replaced(stored, rng)
        if "sha256" in stored and rng.random() < 0.2:
            stored.pop("sha256")
        header["__metadata__"][texts[0]] = json.dumps(stored)
    elif kind == "header":
        done = replaced(header, rng)
    else:
        names = [name for name in header if name != "__metadata__"]
        first, last = header[rng.choice(names)]["data_offsets"]
        value = rng.choice([0.0, float("nan"), float("inf"), 1e38, -1.0])
        data[first:last] = (struct.pack("<f", value) * (last - first))[: last - first]
        done = f"{value} everywhere"
    text = _dumped(header)
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data), f"{kind}: {done}"


def npz_file(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Replace, remove or add an array."""
    with np.load(io.BytesIO(good)) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    name = rng.choice([*arrays, "fps", "extra"])
    like = arrays.get(name, np.zeros((68, 2), np.float32))
    choices: dict[str, Callable[[], Any]] = {
        "empty": lambda: like[:0] if like.ndim else np.zeros(0),
        "huge": lambda: np.zeros((300_000, 68, 2), np.uint8),
        "scalar": lambda: np.array(rng.choice([0, -1, 1e300, float("nan"), "x", "1/0", True, 2**62])),
        "text": lambda: np.array(["a\x1b[31m", "../beside/canary"]),
        "objects": lambda: np.array([{}, None], object),
        "not finite": lambda: np.full(like.shape, rng.choice([np.nan, np.inf, -np.inf])),
        "large": lambda: np.full(like.shape, rng.choice([1e30, 1e38, 1e300])),
        "equal": lambda: np.zeros(like.shape),
        "transposed": lambda: like.T,
        "more dimensions": lambda: like[None, None] if like.ndim else np.zeros((1,) * 20),
        "other type": lambda: np.zeros(
            like.shape, rng.choice(["complex64", "M8[s]", "S3", "V8", "f2", "u1", "i8", "?"])
        ),
        "long": lambda: np.zeros((70_000, *like.shape[1:]), np.float32),
        "removed": lambda: None,
    }
    done = rng.choice(list(choices))
    arrays[name] = choices[done]()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{key: value for key, value in arrays.items() if value is not None})
    return buffer.getvalue(), f"{name} {done}"


def csv_file(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Change a cell, a column's name, or the shape of a table."""
    rows = list(csv.reader(io.StringIO(good.decode(), newline="")))
    row = rng.randrange(len(rows))
    column = rng.randrange(len(rows[row]))
    value = rng.choice(STRANGE)
    text = value if isinstance(value, str) else json.dumps(value)
    done = rng.choice(["cell"] * 4 + ["row twice", "longer", "shorter"])
    if done == "cell":
        rows[row][column] = text
    elif done == "row twice":
        rows.insert(row, rows[row])
    elif done == "longer":
        rows[row].append(text)
    else:
        rows[row].pop()
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode("utf-8", "surrogatepass"), f"{done} {row},{column} {text[:20]!r}"


def words(good: bytes, rng: Random) -> tuple[bytes, str]:
    """Replace, remove or repeat some words or lines of a text, such as BVH."""
    text = good.decode()
    lines = text.split("\n")
    done = rng.choice(
        ["word", "word", "word", "line removed", "line repeated", "lines swapped", "line ends", "encoding"]
    )
    at = rng.randrange(len(lines))
    if done == "word":
        parts = lines[at].split(" ")
        value = rng.choice([*STRANGE, "nan", "-0", "1e39", "{", "}", "End Site", "JOINT", "999999999"])
        parts[rng.randrange(len(parts))] = value if isinstance(value, str) else json.dumps(value)
        lines[at] = " ".join(parts)
    elif done == "line removed":
        del lines[at]
    elif done == "line repeated":
        lines[at:at] = [lines[at]] * rng.choice([1, 2, 2000])
    elif done == "lines swapped":
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    end = rng.choice(["\r\n", "\r"]) if done == "line ends" else "\n"
    encoding = rng.choice(["utf-16", "utf-8-sig", "cp1252"]) if done == "encoding" else "utf-8"
    return end.join(lines).encode(encoding, "replace" if encoding != "utf-8" else "surrogatepass"), f"{done} {at}"


STRUCTURED: dict[str, Callable[[bytes, Random], tuple[bytes, str]]] = {
    ".json": json_document,
    ".yaml": json_document,
    ".jsonl": json_lines,
    ".safetensors": safetensors_file,
    ".npz": npz_file,
    ".csv": csv_file,
    ".bvh": words,
}
"""Mutations by the suffix of the file."""


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")
