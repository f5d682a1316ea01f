"""What an operator says in words: the models of a server, and the token of its clients."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..core.errors import ServingError
from ..core.short_repr import short_repr

TOKEN_VARIABLE = "HEADMOTION_SERVE_TOKEN"


def named_models(models: Iterable[str]) -> dict[str, str]:
    """Return models by the names that clients see: bundled ones by their own, files as ``NAME=FILE``.

    Raises:
        ServingError: a file without a name, or a name without a file.
    """
    named: dict[str, str] = {}
    for model in models:
        name, sign, source = model.partition("=")
        if not name or (sign and not source):
            raise ServingError("model", "NAME or NAME=FILE", short_repr(model))
        if not sign and ("/" in name or name.endswith(".safetensors")):
            raise ServingError(
                "model", "a name for clients", f"{name!r}, which is a file: give it a name", f"talk={name}"
            )
        named[name] = source or name
    return named


def read_token(path: Path | None) -> str | None:
    """Return the token in a file, or else in the environment variable `TOKEN_VARIABLE`, or None.

    Raises:
        ServingError: the file cannot be read as text.
    """
    if path is None:
        return os.environ.get(TOKEN_VARIABLE)
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServingError("server", "a file with its token", f"{path} ({type(error).__name__})") from None
