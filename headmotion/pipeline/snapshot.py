"""Snapshots: a session in the middle of its audio as one safetensors file, without pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from .. import controls
from ..core.errors import CheckpointError, HeadmotionError
from ..core.files import atomic_output, read_regular, reason_of
from .session import Session
from .state_codec import StateReader, StateWriter

if TYPE_CHECKING:
    from .pipeline import Pipeline

KEY = "headmotion-session"
"""Key of the metadata, which holds JSON."""
FORMAT = 1
"""Format that this version writes and reads."""
PARTS = ("representation", "audio_encoder", "generator")
"""Parts of the pipeline that a session's frames depend on."""


def save_snapshot(session: Session, path: str | os.PathLike[str]) -> Path:
    """Write a snapshot; see `Session.snapshot`."""
    target = Path(path)
    if target.suffix != ".safetensors":
        raise CheckpointError("snapshot", "a name ending in .safetensors", target.name)
    pipeline = session.pipeline
    writer = StateWriter(pipeline.device)
    arguments = session.arguments
    # One by one, so that an error names the control.
    controls = [writer.encode(control, f"the control {_name(control)}") for control in arguments.pop("controls")]
    content = {
        "format": FORMAT,
        "pipeline": _identity(pipeline),
        "arguments": {name: writer.encode(value, f"the session's {name}") for name, value in arguments.items()},
        "controls": controls,
        "state": {part: writer.encode(value, part) for part, value in session.get_state().items()},
    }
    metadata = json.dumps(content | {"sha256": _digest(content, writer.tensors)})
    with atomic_output(target) as temporary:
        temporary.write_bytes(save(writer.tensors, {KEY: metadata}))
    return target


def load_snapshot(pipeline: Pipeline, path: str | os.PathLike[str]) -> Session:
    """Continue a session from its snapshot; see `Pipeline.restore`."""
    for name in controls.__all__:  # a snapshot names classes of modules that are loaded, and loads none itself
        getattr(controls, name)
    source = Path(path)
    content, tensors = _read(source)
    reader = StateReader(tensors, pipeline.device)
    try:
        for part, own in _identity(pipeline).items():
            if content["pipeline"].get(part) != own:
                remedy = "restore it with the model that wrote it"
                raise CheckpointError("snapshot", f"the pipeline of {source}", f"one with another {part}", remedy)
        arguments = {name: reader.decode(value) for name, value in content["arguments"].items()}
        edits = [reader.decode(control) for control in content["controls"]]
        session = Session(pipeline, controls=edits, **arguments)
        session.set_state({part: reader.decode(value) for part, value in content["state"].items()})
    except HeadmotionError:
        raise
    except Exception as error:  # a file that was made by hand may hold any state
        got = f"{source} ({reason_of(error)})"
        raise CheckpointError("snapshot", "a state of this pipeline's parts", got) from None
    return session


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return JSON values and tensors of an undamaged snapshot."""
    expected = "a whole .safetensors file that a session wrote"
    try:
        data = read_regular(path)
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        content = json.loads(header["__metadata__"][KEY])
        intact = content.pop("sha256") == _digest(content, tensors)
    except FileNotFoundError:
        raise CheckpointError("snapshot", "an existing file", str(path)) from None
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        got = f"{path} ({reason_of(error)})" if isinstance(error, OSError) else f"{path} with other content"
        raise CheckpointError("snapshot", expected, got, "it may be damaged, or cut short") from None
    if not intact:
        raise CheckpointError("snapshot", expected, f"{path} with other content", "it is damaged")
    if content["format"] != FORMAT:
        newer = f"{path} of format {content['format']}"
        raise CheckpointError("snapshot", f"format {FORMAT}", newer, "use the version of headmotion that wrote it")
    return content, tensors


def _identity(pipeline: Pipeline) -> dict[str, Any]:
    """Return what a snapshot and its pipeline must have in common, as JSON values."""
    spec = pipeline.spec.model_dump(mode="json")
    same = {f"spec of {part}": spec[part] for part in PARTS}
    weights = {name: value for name, value in pipeline.state_dict().items() if name.partition(".")[0] in PARTS}
    rates = {"rate": [spec["fps"], spec["steps_per_frame"]]}
    return same | rates | {"set of weights": _digest({}, weights)}


def _digest(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        values = tensors[name].cpu().clone(memory_format=torch.contiguous_format)
        digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _name(control: Any) -> str:
    return str(getattr(control, "__name__", type(control).__name__))
