"""Options that commands share, and checks of paths before any work is done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
any_path = click.Path(path_type=Path)


class _RegularFile(click.Path):
    """A file that exists; not a device or pipe, from which reading might never end."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Path:
        """Return the path, or fail with a usage error."""
        path = Path(str(super().convert(value, parameter, context)))
        if not path.is_file():
            self.fail(f"{str(path)!r} is a device or pipe, not a file.", parameter, context)
        return path


existing_file = _RegularFile()


def options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Combine options into one decorator, in their order in the help."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
seed = click.option(
    "--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True, help="Seed of the generator's noise."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress bar.")


def _face(context: click.Context, parameter: click.Parameter, value: str) -> int | Literal["largest"]:
    if value == "largest":
        return "largest"
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
        raise click.BadParameter(f"{value[:80]!r} is neither 'largest' nor a number from 1.")
    return int(value)


face = click.option(
    "--face", default="largest", callback=_face, metavar="N|largest", help="Which face, counted from the left."
)


def spec_fields(text: str, example: str) -> dict[str, Any]:
    """Return the JSON values of a spec that is given by its type or as JSON.

    Args:
        text: what the user wrote.
        example: a spec as JSON, for the error.

    Raises:
        click.BadParameter: JSON that is damaged, or has no type.
    """
    if not text.lstrip().startswith("{"):
        return {"type": text}
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not (isinstance(fields, dict) and isinstance(fields.get("type"), str)):
        raise click.BadParameter(f"expected a type, or JSON such as {example}.")
    return fields


def one_thread() -> None:
    """Limit torch to one thread unless the user sets another number.

    Frame by frame, the products are so small that several threads mostly wait for each other.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def check_output(path: Path, may_be_folder: bool = False) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Args:
        path: the output.
        may_be_folder: whether an existing folder is allowed.

    Raises:
        click.BadParameter: it is a folder, or lies in a folder that cannot be written to.
    """
    if path.is_dir() and not may_be_folder:
        raise click.BadParameter(f"{str(path)!r} is a folder.", param_hint="--output")
    # On Windows every folder passes; the error comes when the output is written.
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise click.BadParameter(f"{str(folder)!r} is not a folder that can be written to.", param_hint="--output")
