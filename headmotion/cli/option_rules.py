"""Which option of a command needs which: an option that would change nothing is an error, never ignored."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .options import F

Arguments = Mapping[str, Any]
"""Values of a command's parameters by name."""


@dataclass(frozen=True)
class Rule:
    """Options that have an effect in some cases only."""

    options: tuple[str, ...]
    """Names of the parameters."""
    purpose: str
    """What the options are for, as the end of an error: ``--fps is for a video``."""
    applies: Callable[[Arguments], object]
    """Returns whether they have an effect; it is called only if one of them is given."""


def option_rules(*rules: Rule) -> Callable[[F], F]:
    """Check the options that the user gave before a command begins; this decorator stands below those of options.

    Raises:
        click.UsageError: an option without effect, given the others.
    """

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def checked(*positional: Any, **arguments: Any) -> Any:
            context = click.get_current_context()
            for rule in rules:
                for name in rule.options:
                    if is_given(context, name) and not rule.applies(context.params):
                        raise click.UsageError(f"{flag(context, name)} is for {rule.purpose}.", context)
            return command(*positional, **arguments)

        checked.rules = rules  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def is_given(context: click.Context, name: str) -> bool:
    """Return whether the user gave a parameter, rather than leaving its default."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def flag(context: click.Context, name: str) -> str:
    """Return how the option for a parameter is written, such as ``--audio-track``."""
    parameter = next(candidate for candidate in context.command.params if candidate.name == name)
    return max(parameter.opts, key=len)


def given_options(context: click.Context, choices: Arguments) -> dict[str, Any]:
    """Return those choices that the user made, paths as text, as values of `GenerateOptions`."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in choices.items()
        if is_given(context, name)
    }
