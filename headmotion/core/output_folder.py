"""A folder for results that must hold nothing else: what a user keeps in it is neither replaced nor mixed with them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from .errors import HeadmotionError

_OF_THE_SYSTEM = ("desktop.ini", "Thumbs.db")


def require_free_folder(
    folder: Path,
    component: str,
    error: type[HeadmotionError],
    own: Collection[str] = (),
    replaced: bool = False,
    remedy: str = "choose another name",
) -> None:
    """Refuse a folder that holds files of others, before anything is written.

    Args:
        folder: the output; it need not exist.
        component: who asks, for the error.
        error: type of the error.
        own: names that may be there.
        replaced: the folder itself is replaced, so that nothing may be in it. Otherwise hidden files may, such as
            those of git or of the system.
        remedy: for the error.

    Raises:
        HeadmotionError: it is no folder, or holds something else.
        OSError: it cannot be read.
    """
    if not folder.exists():
        return
    if folder.is_dir():
        names = (path.name for path in folder.iterdir())
        strange = [name for name in names if replaced or not (name in own or _is_hidden(name))]
        if not strange:
            return
        got = f"{folder}, which holds {min(strange)!r}"
    else:
        got = f"{folder}, which is a file"
    raise error(component, "a new or empty folder", got, remedy)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _OF_THE_SYSTEM
