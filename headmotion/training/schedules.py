"""Schedules: learning rates, weights and margins as functions of a step's number alone, so that runs resume exactly."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from ..core.errors import SpecError
from ..core.spec import Spec


class WarmUp(Spec):
    """Base of all schedules of a learning rate: a linear rise from zero."""

    warm_up: int = Field(0, ge=0, le=10**9)
    """First steps, over which the factor rises linearly to its schedule."""

    def factor(self, step: int, steps: int) -> float:
        """Return the factor of the learning rate at a step of a phase of ``steps``."""
        rise = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        return rise * self.shape(min(1.0, step / max(1, steps)))

    def shape(self, progress: float) -> float:
        """Return the factor without warm-up when a fraction of the phase, 0 to 1, has passed."""
        return 1.0


class Constant(WarmUp):
    """The learning rate as it is."""

    type: Literal["constant"] = "constant"


class Drops(WarmUp):
    """Sudden drops when given fractions of the phase have passed."""

    type: Literal["drops"] = "drops"
    at: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.5, 0.75)
    """Fractions of the phase after which the rate drops."""
    by: float = Field(0.1, gt=0, le=1)
    """Factor of each drop."""

    def shape(self, progress: float) -> float:
        """Return ``by`` to the power of the drops that have passed."""
        return self.by ** sum(progress >= at for at in self.at)


class Cosine(WarmUp):
    """Half a cosine from 1 down to ``final`` (Loshchilov and Hutter 2017, without restarts)."""

    type: Literal["cosine"] = "cosine"
    final: float = Field(0.0, ge=0, le=1)
    """Factor at the phase's end."""

    def shape(self, progress: float) -> float:
        """Return ``final + (1 - final) (1 + cos(pi progress)) / 2``."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2


class Linear(WarmUp):
    """A straight line from 1 down to ``final``."""

    type: Literal["linear"] = "linear"
    final: float = Field(0.0, ge=0, le=1)
    """Factor at the phase's end."""

    def shape(self, progress: float) -> float:
        """Return ``1 + (final - 1) progress``."""
        return 1 + (self.final - 1) * progress


class Ramp(Spec):
    """A straight line between two steps, level before and after."""

    start: float = Field(ge=0, le=1e6)
    """Value until ``from_step``."""
    end: float = Field(ge=0, le=1e6)
    """Value from ``to_step`` on."""
    from_step: int = Field(0, ge=0, le=10**9)
    """Last step at the first value."""
    to_step: int = Field(gt=0, le=10**9)
    """First step at the last value."""

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.from_step >= self.to_step:
            raise SpecError("ramp", "from_step < to_step", f"{self.from_step} and {self.to_step}")
        return self

    def at(self, step: int) -> float:
        """Return the value at a step."""
        progress = (step - self.from_step) / (self.to_step - self.from_step)
        return self.start + (self.end - self.start) * min(1.0, max(0.0, progress))


class Growth(Spec):
    """Steady growth up to a cap: ``start * factor ** (step // every)``. Source: MS-Sync, margin of the syncers."""

    start: float = Field(gt=0, le=1e6)
    """First value; the paper's margin begins at 0.001."""
    factor: float = Field(ge=1, le=1e6)
    """The paper's 1.002."""
    every: int = Field(1000, ge=1, le=10**9)
    """Steps between two growths, the paper's 1000."""
    cap: float = Field(0.4, gt=0, le=1e6)
    """Largest value; the paper's margin ends at 0.4."""

    def at(self, step: int) -> float:
        """Return the value at a step."""
        log_growth = (step // self.every) * math.log(self.factor)
        # exp(100) is beyond any cap, and exp of much more would overflow.
        return min(self.cap, self.start * math.exp(log_growth)) if log_growth < 100 else self.cap


def value_at(value: float | Ramp | Growth, step: int) -> float:
    """Return a number, or a schedule's value at a step."""
    return value if isinstance(value, int | float) else value.at(step)


def _tag(value: Any) -> str:
    if isinstance(value, Growth) or (isinstance(value, dict) and "factor" in value):
        return "growth"
    return "ramp" if isinstance(value, Ramp | dict) else "number"


Scheduled = Annotated[
    Annotated[float, Field(ge=0, le=1e6), Tag("number")]
    | Annotated[Ramp, Tag("ramp")]
    | Annotated[Growth, Tag("growth")],
    Discriminator(_tag),
]
"""A number, ``{start, end, from_step, to_step}`` or ``{start, factor, every, cap}``."""


def expand_type_name(value: Any) -> Any:
    """Return a spec that is only a type name as a mapping, and anything else as it is."""
    return {"type": value} if isinstance(value, str) else value


LearningRate = Annotated[Constant | Drops | Cosine | Linear, Discriminator("type"), BeforeValidator(expand_type_name)]
"""``cosine`` or ``{type: cosine, warm_up: 500, final: 0.01}``."""
