"""Where a gradient stops being finite: outputs of parts are watched while each term of a step is followed alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import takewhile

import torch
from torch import Tensor, nn

_TRACE: ContextVar[GradientTrace | None] = ContextVar("gradient trace", default=None)


class InfiniteGradientError(Exception):
    """The gradient of one term is NaN or infinite.

    Args:
        term: its name.
        part: the part in whose code the gradient stopped being finite; empty if no part's output lies on the way.
        parameters: those whose gradient is not finite.
    """

    def __init__(self, term: str, part: str, parameters: Sequence[nn.Parameter]) -> None:
        super().__init__(term, part)
        self.term, self.part, self.parameters = term, part, parameters


class GradientTrace:
    """Notes, output by output, whether the gradient that arrives at a part is finite."""

    def __init__(self) -> None:
        self._arrived: list[tuple[str, bool]] = []

    def watch(self, part: str, output: Tensor) -> None:
        """Note the gradient that will arrive at an output of a part."""
        if output.requires_grad:
            output.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._arrived.append((part, _is_finite(gradient)))
            )

    def follow(self, terms: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]) -> None:
        """Follow the gradient of each term back to the parameters.

        Raises:
            InfiniteGradientError: it is not finite. Gradients go from the term to the weights, so the part that spoiled
                it is the last one on the way whose output still received a finite one.
        """
        for name, term in terms.items():
            if not term.requires_grad:
                continue
            self._arrived.clear()
            gradients = torch.autograd.grad(term, parameters, retain_graph=True, allow_unused=True)
            pairs = zip(parameters, gradients, strict=True)
            infinite = [p for p, gradient in pairs if gradient is not None and not _is_finite(gradient)]
            if infinite:
                finite = [part for part, _ in takewhile(lambda arrived: arrived[1], self._arrived)]
                raise InfiniteGradientError(name, finite[-1] if finite else "", infinite)


@contextmanager
def traced_gradients() -> Iterator[None]:
    """Let steps during the body follow each term back alone, which takes a backward pass for each."""
    token = _TRACE.set(GradientTrace())
    try:
        yield
    finally:
        _TRACE.reset(token)


def active_trace() -> GradientTrace | None:
    """Return the trace of `traced_gradients`; None outside of it."""
    return _TRACE.get()


def _is_finite(gradient: Tensor) -> bool:
    # By the norm, which may overflow where no single number does: clipping needs it.
    return bool(torch.isfinite(torch.linalg.vector_norm(gradient)))
