"""Names of Whisper's tensors in files of Hugging Face's, translated to those of `WhisperNetwork`."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

MODULES = {
    "self_attn_layer_norm": "attention.norm",
    "self_attn.qkv": "attention.qkv",
    "self_attn.out_proj": "attention.out",
    "final_layer_norm": "mlp.norm",
    "fc1": "mlp.0",
    "fc2": "mlp.1",
}
"""Modules of a layer, in a file and in `WhisperNetwork`; ``qkv`` is joined from ``q_proj``, ``k_proj``, ``v_proj``."""

_ENCODER = re.compile(r"^(?:model\.)?encoder\.")
_LAYER = re.compile(r"^layers\.(\d+)\.(.+)\.(weight|bias)$")


def own_names(stored: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the tensors of a file by the names of `WhisperNetwork`.

    Hugging Face's files have names such as ``model.encoder.layers.0.fc1.weight``. Other files are returned as they are.
    """
    inner = {_ENCODER.sub("", name): tensor for name, tensor in stored.items() if _ENCODER.match(name)}
    if not inner:
        return stored
    for name in [name for name in inner if name.endswith("self_attn.q_proj.weight")]:
        prefix = name.removesuffix("q_proj.weight")
        zeros = torch.zeros(len(inner[name]), dtype=inner[name].dtype)
        for kind in ("weight", "bias"):
            # Keys have no bias, which would be the same for all of them.
            three = [inner.get(f"{prefix}{part}_proj.{kind}", zeros) for part in "qkv"]
            inner[f"{prefix}qkv.{kind}"] = torch.cat(three)
    return {_renamed(name): tensor for name, tensor in inner.items()}


def _renamed(name: str) -> str:
    match = _LAYER.match(name)
    if match is None or match[2] not in MODULES:
        return name
    return f"blocks.{match[1]}.{MODULES[match[2]]}.{match[3]}"
