"""Checkpoints made wrong by hand."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from judge import Judge

Edit = Callable[[bytes], bytes]


def packed(header: Any, data: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def parts(model: bytes) -> tuple[dict[str, Any], bytes]:
    end = 8 + int.from_bytes(model[:8], "little")
    return json.loads(model[8:end]), model[end:]


def header(change: Callable[[dict[str, Any]], Any]) -> Edit:
    """The model with another safetensors header: what ``change`` returns, or what it makes of its argument."""

    def edit(model: bytes) -> bytes:
        entries, data = parts(model)
        returned = change(entries)
        return packed(entries if returned is None else returned, data)

    return edit


def own(**changes: Any) -> Edit:
    """The model with other metadata of headmotion's own; ... takes a key away."""

    def change(entries: dict[str, Any]) -> None:
        stored = json.loads(entries["__metadata__"]["headmotion"]) | changes
        kept = {key: value for key, value in stored.items() if value is not ...}
        entries["__metadata__"]["headmotion"] = json.dumps(kept)

    return header(change)


def spec(**changes: Any) -> Edit:
    """The model with another spec; ... takes a key away."""

    def edit(model: bytes) -> bytes:
        stored = json.loads(parts(model)[0]["__metadata__"]["headmotion"])["spec"] | changes
        return own(spec={key: value for key, value in stored.items() if value is not ...})(model)

    return edit


def generator(**changes: Any) -> Edit:
    def edit(model: bytes) -> bytes:
        stored = json.loads(parts(model)[0]["__metadata__"]["headmotion"])["spec"]["generator"]
        return spec(generator=stored | changes)(model)

    return edit


def entry(**changes: Any) -> Edit:
    """The model with another description of its first tensor."""

    def change(entries: dict[str, Any]) -> None:
        name = next(name for name in entries if name != "__metadata__")
        entries[name] |= changes

    return header(change)


def weights(value: bytes) -> Edit:
    """The model with other numbers in all its tensors, their digest included."""

    def edit(model: bytes) -> bytes:
        entries, data = parts(model)
        filled = value * (len(data) // len(value))
        return own(sha256=hashlib.sha256(filled).hexdigest())(packed(entries, filled))

    return edit


def torch_archive(_: bytes) -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Bait()))
    return buffer.getvalue()


class Bait:
    """What a pickle does when it is opened."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("made",)


def nested(depth: int) -> Any:
    value: Any = {"type": "landmarks68"}
    for _ in range(depth):
        value = {"type": "landmarks68", "inner": value}
    return value


REFUSED: dict[str, Edit] = {
    "empty": lambda _: b"",
    "seven bytes": lambda model: model[:7],
    "eight bytes": lambda model: model[:8],
    "text": lambda _: b"weights\n" * 99,
    "zeros": lambda _: bytes(999),
    "ones": lambda _: b"\xff" * 999,
    "pickle": lambda _: pickle.dumps(Bait()),
    "old pickle": lambda _: pickle.dumps(Bait(), protocol=0),
    "torch archive": torch_archive,
    "archive": lambda _: b"PK\3\4" + bytes(99),
    "header of 2^64": lambda model: b"\xff" * 8 + model[8:],
    "header of 2^63": lambda model: struct.pack("<Q", 1 << 63) + model[8:],
    "header longer than the file": lambda model: struct.pack("<Q", len(model)) + model[8:],
    "header of 0": lambda model: bytes(8) + model[8:],
    "header one short": lambda model: struct.pack("<Q", int.from_bytes(model[:8], "little") - 1) + model[8:],
    "header of 1": lambda model: struct.pack("<Q", 1) + b"{" + model[9:],
    "header of open brackets": header(lambda _: b'{"a":' + b"[" * 50_000),
    "header of objects": header(lambda _: b'{"a":' * 50_000),
    "header not UTF-8": header(lambda _: b'{"\xff": 1}'),
    "header is a list": header(lambda _: []),
    "header is empty": header(lambda _: {}),
    "no metadata": header(lambda entries: entries.pop("__metadata__")),
    "metadata is a list": header(lambda entries: entries | {"__metadata__": []}),
    "metadata is a word": header(lambda entries: entries | {"__metadata__": "headmotion"}),
    "metadata of others": header(lambda entries: entries | {"__metadata__": {"format": "pt"}}),
    "metadata is an object": header(lambda entries: entries | {"__metadata__": {"headmotion": {"format": 1}}}),
    "metadata is no JSON": header(lambda entries: entries | {"__metadata__": {"headmotion": "{"}}),
    "metadata is null": header(lambda entries: entries | {"__metadata__": {"headmotion": "null"}}),
    "metadata is a number": header(lambda entries: entries | {"__metadata__": {"headmotion": "1"}}),
    "metadata is deep": header(lambda entries: entries | {"__metadata__": {"headmotion": "[" * 50_000}}),
    "no tensors": header(lambda entries: {"__metadata__": entries["__metadata__"]}),
    "tensors are words": header(lambda entries: entries | {"extra": "F32"}),
    "tensor without shape": header(lambda entries: entries | {"extra": {"dtype": "F32", "data_offsets": [0, 4]}}),
    "one tensor more": header(
        lambda entries: entries | {"extra": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}
    ),
    "unknown type": entry(dtype="F33"),
    "type is a list": entry(dtype=["F32"]),
    "half the type": entry(dtype="F16"),
    "shape below 0": entry(shape=[-1, -1]),
    "shape of words": entry(shape=["many"]),
    "shape of 2^64": entry(shape=[2**64]),
    "shape of 10^4000": entry(shape=[10**4000, 10**4000]),
    "offsets turned": entry(data_offsets=[64, 0]),
    "offsets of words": entry(data_offsets=["a", "b"]),
    "one offset": entry(data_offsets=[0]),
    "offsets below 0": entry(data_offsets=[-8, 0]),
    "offsets beyond the end": entry(data_offsets=[0, 2**62]),
    "offsets beyond all ends": entry(data_offsets=[0, 10**4299 * 10 - 1]),
    "more behind": lambda model: model + bytes(8),
    "another digest": own(sha256="0" * 64),
    "digest is a number": own(sha256=5),
    "no digest": own(sha256=...),
    "another bit": lambda model: model[:-3] + bytes([model[-3] ^ 1]) + model[-2:],
    "format 999": own(format=999),
    "format is a word": own(format="new"),
    "format is null": own(format=None),
    "format is infinite": own(format=float("inf")),
    "no format": own(format=...),
    "step is a word": own(step="last"),
    "requires is a word": own(requires="headmotion"),
    "requires is a number": own(requires=5),
    "requires without version": own(requires=[{"dist": "headmotion"}]),
    "versions is a list": own(versions=[1]),
    "card is a list": own(card=[1]),
    "card is a word": own(card="good"),
    "spec is a word": own(spec="landmarks68"),
    "spec is null": own(spec=None),
    "spec is empty": own(spec={}),
    "spec of lists": own(spec=[["fps", 25]]),
    "spec is deep": own(spec=nested(300)),
    "spec is deeper": own(spec=nested(480)),
    "spec with more": spec(extra=1),
    "spec without generator": spec(generator=...),
    "spec of another representation": spec(representation={"type": "landmarks68", "dims": 3}),
    "spec of no representation": spec(representation={"type": "os.system"}),
    "spec of a module": spec(generator={"type": "os/system", "build": "mkdir made"}),
    "spec of a plugin": spec(generator={"type": "absent/net"}),
    "spec of a path": spec(generator={"type": "../../made"}),
    "spec of a list": spec(generator=["ms-sync"]),
    "spec at 30 fps": spec(fps=30),
    "spec at 1e999999999 fps": spec(fps="1e999999999"),
    "spec of 10^9 steps": spec(steps_per_frame=10**9),
    "spec of another width": generator(hidden_size=33),
    "spec of a great width": generator(hidden_size=4096),
    "spec of 10^12": generator(hidden_size=10**12),
    "spec of 10^400": generator(hidden_size=10**400),
    "spec of NaN": generator(velocity_scale=float("nan")),
    "spec of words": generator(levels="many"),
    "NaN weights": weights(struct.pack("<f", float("nan"))),
    "infinite weights": weights(struct.pack("<f", float("inf"))),
    "huge weights": weights(struct.pack("<f", 1e38)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_no_model(name: str, good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    (workdir / "speech.wav").write_bytes(good["speech.wav"])
    (workdir / "bad.safetensors").write_bytes(REFUSED[name](good["model.safetensors"]))
    judge.refused("animate", "speech.wav", "--model", "bad.safetensors", "-o", "made/talk.mp4", "-q")
    judge("inspect", "bad.safetensors")


def test_a_model_with_whole_metadata_loads(good: Mapping[str, bytes], workdir: Path, judge: Judge) -> None:
    """What the cases above change one thing in is right before they do."""
    (workdir / "speech.wav").write_bytes(good["speech.wav"])
    edited = own(card={"name": "ours"})(spec()(entry()(weights(struct.pack("<f", 0.01))(good["model.safetensors"]))))
    (workdir / "model.safetensors").write_bytes(edited)
    judge.accepted("animate", "speech.wav", "--model", "model.safetensors", "-o", "made/talk.mp4", "-q")
    assert '"ours"' in judge.accepted("inspect", "model.safetensors")
