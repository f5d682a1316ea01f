"""Commands whose options are given once: of two values the first would be ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import click
from typing_extensions import override

from .option_rules import flag


class Command(click.Command):
    """A command that refuses a second value of an option which takes one."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, count in Counter(given).items():
            is_single = isinstance(parameter, click.Option) and not (parameter.multiple or parameter.is_flag)
            if count > 1 and is_single and parameter.name is not None:
                raise click.UsageError(f"{flag(ctx, parameter.name)} is given {count} times, but takes one value.", ctx)
        return super().parse_args(ctx, args)


class CommandGroup(click.Group):
    """A group of such commands."""

    command_class = Command


def command() -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function."""
    return click.command(cls=Command)
