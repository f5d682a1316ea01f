"""Options that edit a motion, one per control."""

from __future__ import annotations

from typing import Any

import click

from ..core.short_repr import short_repr
from .options import F, options, spec_fields


def _angles(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        yaw, pitch = map(float, value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two numbers, such as 15,-5.") from None
    return yaw, pitch


def _weights(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float] | None:
    """Return changes by name from texts such as ``jawOpen=+0.2``."""
    changes = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            changes[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{short_repr(value)} is not NAME=NUMBER, such as jawOpen=+0.2.") from None
    return changes or None


def _controls(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    """Return the specs of controls as JSON values, from types or from JSON."""
    return tuple(spec_fields(value, '{"type": "smooth", "window_ms": 80}') for value in values)


def edits(command: F) -> F:
    """Add an option per control; the names are those of `headmotion.controls.from_options`."""
    return options(
        click.option("--head", type=float, metavar="AMOUNT", help="Amount of head motion: 0 none, 1 unchanged."),
        click.option("--lips", type=float, metavar="GAIN", help="Gain of lips and jaw: 1 unchanged."),
        click.option("--close-silence/--no-close-silence", help="Close the mouth in silence."),
        click.option("--smooth", type=float, metavar="MS", help="Window of a moving average."),
        click.option("--blink", type=float, metavar="RATE", help="Blinks to add per minute."),
        click.option("--look-at", metavar="YAW,PITCH", callback=_angles, help="Degrees to the right and up."),
        click.option("--hold-pose/--no-hold-pose", help="Hold the head exactly still."),
        click.option(
            "--weight",
            "--au",
            "weights",
            multiple=True,
            metavar="NAME=CHANGE",
            callback=_weights,
            help="Raise or lower a blend shape or action unit, such as jawOpen=+0.2 or AU26=-0.1.",
        ),
        click.option(
            "--control",
            multiple=True,
            metavar="NAME|JSON",
            callback=_controls,
            help="A control by its type or spec, such as those of plugins; may be given several times.",
        ),
        click.option("--limit/--no-limit", help="Limit openings and angles to what people reach."),
    )(command)
