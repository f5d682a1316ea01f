"""Whose fault an exception is: the part of a plugin whose code it comes from."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .errors import PluginError, describe
from .spec import Spec


def plugin_error(error: BaseException) -> PluginError | None:
    """Return the error that names the plugin's part in whose code an exception was raised; None for own code.

    That part is the ``self`` of the innermost call of a method of a part, or of its spec, whose type has a namespace.
    Exceptions are not caught where parts are called, so that programs, and authors of plugins, see them as they are.
    """
    found = next(filter(None, map(_culprit, _chain(error))), None)
    if found is None:
        return None
    culprit, where, raised = found
    plugin = culprit.type_name().partition("/")[0]
    name = f"{culprit.kind.replace('_', ' ')} {culprit.type_name()}"
    remedy = f"headmotion plugins check {plugin} says more"
    return PluginError(name, "its code to succeed", f"{describe(raised)[:300]} ({where})", remedy)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, or while handling."""
    following: BaseException | None = error
    while following is not None:
        yield following
        hidden = following.__suppress_context__ or following.__cause__ is not None
        following = following.__cause__ if hidden else following.__context__


def _culprit(error: BaseException) -> tuple[Spec, str, BaseException] | None:
    """Return the part in whose code an exception was raised, the place, and the exception."""
    culprit: Spec | None = None
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        spec = _spec_of(_owner(frame))
        if spec is not None and "/" in spec.type_name():
            culprit = spec
        where = f"{Path(frame.f_code.co_filename).name}, line {line}"
    return None if culprit is None else (culprit, where, error)


def _owner(frame: FrameType) -> object:
    """Return whose method a frame runs: its ``self``, or the first argument of a wrapper that takes any arguments."""
    code, values = frame.f_code, frame.f_locals
    if "self" in values or not code.co_flags & inspect.CO_VARARGS:
        return values.get("self")
    arguments = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount], ())
    return next(iter(arguments), None) if isinstance(arguments, tuple) else None


def _spec_of(value: object) -> Spec | None:
    if isinstance(value, Spec):
        return value
    try:
        spec = vars(value).get("spec")  # unlike getattr it runs no code of the plugin
    except TypeError:  # an object without attributes
        return None
    return spec if isinstance(spec, Spec) else None
