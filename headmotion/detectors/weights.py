"""Weight files of other projects: where they lie, and fetching them when the user asks for it."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import shutil
import urllib.request
from pathlib import Path

import torch

from ..core.errors import DetectorError
from ..core.files import atomic_output

TIMEOUT_S = 20
"""Seconds of silence after which a host counts as out of reach."""

_log = logging.getLogger("headmotion")


def weight_file(given: str | None, url: str, fetch: bool, component: str) -> Path:
    """The user's file, or the one that torch hub keeps for ``url``, fetched into that place if ``fetch`` allows it.

    Raises:
        DetectorError: the file is missing, or cannot be fetched whole.
    """
    name = url.rpartition("/")[2]
    if given is not None:
        if not Path(given).is_file():
            raise DetectorError(component, f"the weights {name}", f"no file {given}")
        return Path(given)
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.is_file():
        return path
    remedy = f"put {name} (from {url}) into {path.parent}"
    if not fetch:
        others = "or name the detector to have them fetched, install mediapipe, or pass landmarks"
        raise DetectorError(component, f"the weights {name}", f"none in {path.parent}", f"{remedy}, {others}")
    try:
        _fetch(url, path)
    except (OSError, http.client.HTTPException, ValueError) as error:
        got = f"no success in fetching them ({error})"
        raise DetectorError(component, f"the weights {name}", got, remedy) from None
    return path


def _fetch(url: str, path: Path) -> None:
    """Download a file, whose name holds the first digits of its SHA-256 as torch hub's names do."""
    _log.warning("fetching %s into %s", url, path.parent)
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, atomic_output(path) as temporary:
        with temporary.open("wb") as stream:
            shutil.copyfileobj(answer, stream)
        with temporary.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        promised = re.search(r"-([0-9a-f]{8,})\.", path.name)
        if promised and not digest.startswith(promised[1]):
            raise ValueError(f"SHA-256 {digest[:10]}..., cut short or not the file")
