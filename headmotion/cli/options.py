"""Options that commands share, and checks of paths before any work is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from headmotion.core.files import reason_of, require_no_device
from headmotion.core.temporary_paths import temporary_path

from ..core.short_repr import short_repr
from ..core.unique_keys import parse_json

F = TypeVar("F", bound=Callable[..., Any])
FILE_SUFFIXES = (
    *(".mp4", ".webm", ".gif", ".mov", ".mkv", ".avi", ".m4v", ".png", ".jpg", ".jpeg", ".webp"),
    *(".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a"),
    *(".npz", ".npy", ".json", ".csv", ".bvh", ".glb", ".gltf", ".vtt"),
    *(".html", ".safetensors", ".onnx", ".yaml", ".yml", ".txt", ".zip"),
)
"""Suffixes that no folder has whose name is meant."""


class _NamedPath(click.Path):
    """A path that is named: an empty text, such as that of a variable without a value, is not the current folder."""

    def __init__(self, exists: bool = False, dir_okay: bool = True) -> None:
        super().__init__(exists=exists, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Path:
        """Return the path, or fail with a usage error."""
        if not str(value):
            self.fail("expected a path, got an empty text.", parameter, context)
        return Path(str(super().convert(value, parameter, context)))


class _RegularFile(_NamedPath):
    """A file that exists; not a device or pipe, from which reading might never end."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Path:
        """Return the path, or fail with a usage error."""
        path = super().convert(value, parameter, context)
        if not path.is_file():
            self.fail(f"{str(path)!r} is a device or pipe, not a file: write it to a file first.", parameter, context)
        return path


any_path = _NamedPath()
existing_path = _NamedPath(exists=True)
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
        raise click.BadParameter(f"{short_repr(value)} is neither 'largest' nor a number from 1.")
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
        fields: dict[str, Any] = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"expected a type, or JSON such as {example}, got {reason_of(error)}.") from None
    if not isinstance(fields.get("type"), str):
        raise click.BadParameter(f"expected a type, or JSON such as {example}, got no 'type'.")
    return fields


def _renderer(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Return the spec of a renderer as JSON values, from a type or from JSON."""
    return None if value is None else spec_fields(value, '{"type": "skeleton", "size": 256}')


drawing = options(
    click.option(
        "--renderer",
        callback=_renderer,
        metavar="TYPE|JSON",
        help="Renderer: a type such as skeleton, or a spec.  [default: the model's own]",
    ),
    click.option("--crop", type=click.Choice(["head", "none"]), help="Show the head only, or the whole picture."),
    click.option("--size", type=int, metavar="N", help="Longer edge in pixels.  [default: the picture's]"),
)
"""How motion is drawn."""


def one_thread() -> None:
    """Limit torch to one thread unless the user sets another number.

    Frame by frame, the products are so small that several threads mostly wait for each other.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


SPINS = "10000"
"""Checks of a waiting thread before it sleeps, some tens of microseconds: longer than threads wait for each other where
nothing else runs. With a tenth of it they sleep between most operations, and a step takes half as long again."""


def brief_waits() -> None:
    """Let threads of torch that wait for each other sleep soon, unless the user sets how long they spin.

    GNU's OpenMP keeps their processors busy for milliseconds by default. As soon as another program needs one of these,
    each of the thousands of waits in a training step lasts that long. Other builds of torch ignore the variable.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def check_output(path: Path, may_be_folder: bool = False) -> None:
    """Refuse an output that cannot be written, before any work is done.

    Args:
        path: the output.
        may_be_folder: whether an existing folder is allowed.

    Raises:
        click.BadParameter: it is a folder that is not allowed, a device or pipe, or lies in a folder that cannot be
            written to, also because the disk is full.
    """
    try:
        require_no_device(path)
    except OSError as error:
        raise click.BadParameter(f"{str(path)!r}: {error.strerror}.", param_hint="--output") from None
    if path.is_dir() and not may_be_folder:
        raise click.BadParameter(f"{str(path)!r} is a folder.", param_hint="--output")
    if path.absolute() == path.absolute().parent:
        raise click.BadParameter(f"{str(path)!r} is the root of all folders; name one in it.", param_hint="--output")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise click.BadParameter(f"{str(folder)!r} is not a folder that can be written to.", param_hint="--output")
    try:
        # What Windows, a network or a quota refuses, and that a disk is full, only a trial says.
        with temporary_path(folder / "trial") as (trial, _):
            try:
                trial.write_bytes(b"0")
            finally:
                trial.unlink(missing_ok=True)
    except OSError as error:
        got = reason_of(error)
        raise click.BadParameter(f"{str(folder)!r} cannot be written to: {got}.", param_hint="--output") from None


def check_page(path: Path) -> None:
    """Refuse an output that is no HTML file by its name, or that cannot be written; see `check_output`.

    Raises:
        click.BadParameter: it has another suffix, or cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"expected the name of an HTML file, got {str(path)!r}.", param_hint="--output")
    check_output(path)


def check_suffix(path: Path, suffixes: Iterable[str], has_folders: bool = True) -> None:
    """Refuse an output of no format.

    Args:
        path: the output.
        suffixes: those of the formats.
        has_folders: whether a name without a suffix is a folder for pictures.

    Raises:
        click.BadParameter: it has another suffix.
    """
    known = list(dict.fromkeys(suffixes))
    if path.suffix.lower() not in known and (path.suffix or not has_folders):
        other = "; the name of a folder for pictures has no dot" if has_folders else ""
        raise click.BadParameter(f"{path.name!r} ends in none of {', '.join(known)}{other}.", param_hint="--output")


def check_folder(path: Path, option: str = "--output") -> None:
    """Refuse a file's name for an output that is a folder; see also `check_output`.

    Raises:
        click.BadParameter: a new folder with the suffix of a file.
    """
    if path.suffix.lower() in FILE_SUFFIXES and not path.is_dir():
        raise click.BadParameter(f"{str(path)!r} is a file's name, and this is a folder.", param_hint=option)


def check_picture(path: Path) -> None:
    """Refuse anything but a picture, before any work is done.

    Raises:
        click.BadParameter: it is something else.
    """
    from headmotion.media.file_kind import file_kind

    if (kind := file_kind(path)) != "picture":
        got = "a video" if kind == "video" else "no picture"
        raise click.BadParameter(f"{str(path)!r} is {got}; a still picture is expected.", param_hint="--image")
