"""Whose fault an exception is: the part of a plugin, or the plugin, whose code it comes from."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from .errors import PluginError, describe
from .plugins import OWN_DISTRIBUTION, registry
from .spec import Spec


def plugin_error(error: BaseException) -> PluginError | None:
    """Return the error that names the plugin's part in whose code an exception was raised; None for own code.

    That part is the ``self`` of the innermost call of a method of a part, or of its spec, whose type has a namespace.
    Code of a plugin that is in no part, such as a phase, a converter or a function, is named by the plugin.
    Exceptions are not caught where parts are called, so that programs, and authors of plugins, see them as they are.
    """
    packages = _packages()
    located = next(filter(None, (_culprit(raised, packages) for raised in _chain(error))), None)
    if located is None:
        return None
    culprit, where, raised = located
    if isinstance(culprit, Spec):
        plugin = culprit.type_name().partition("/")[0]
        name = f"{culprit.kind.replace('_', ' ')} {culprit.type_name()}"
    else:
        plugin, name = culprit, f"plugin {culprit}"
    remedy = f"headmotion plugins check {plugin} says more"
    return PluginError(name, "its code to succeed", f"{describe(raised)} ({where})", remedy)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, or while handling."""
    following: BaseException | None = error
    while following is not None:
        yield following
        hidden = following.__suppress_context__ or following.__cause__ is not None
        following = following.__cause__ if hidden else following.__context__


def _packages() -> dict[str, str]:
    """Return the plugins of others by the package that their code is in."""
    modules = {str(getattr(module, "__name__", "")): name for name, module in registry().manager.list_name_plugin()}
    packages = {module.partition(".")[0]: name for module, name in modules.items()}
    return {package: name for package, name in packages.items() if package not in ("", OWN_DISTRIBUTION)}


def _culprit(error: BaseException, packages: Mapping[str, str]) -> tuple[Spec | str, str, BaseException] | None:
    """Return the part, or else the plugin, in whose code an exception was raised, the place, and the exception."""
    part: Spec | None = None
    plugin: str | None = None
    where = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        spec = _spec_of(_owner(frame))
        if spec is not None and "/" in spec.type_name():
            part = spec
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        plugin = packages.get(package, plugin)
        where = f"{Path(frame.f_code.co_filename).name}, line {line}"
    culprit = plugin if part is None else part
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
