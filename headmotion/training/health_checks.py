"""Health checks: warnings about values of a run that have looked wrong for long, each with likely causes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ..core.interfaces.phase import Phase, Problem, SupportsHealthChecks

MEAN_STEPS = 50
"""Steps that a running mean looks back: single batches are noisy, and top-1 of a small group is noisier still."""
PATIENCE = (150, 1000)
"""Bounds, in steps, of how long a problem lasts before it is reported: a fifth of the phase's steps. A good run leaves
the chance level within some dozen steps at the learning rates of `small-cpu`, and nobody should wait for an hour to
learn that nothing is learned."""
REPEAT_FACTOR = 10
"""A warning is repeated when the problem has lasted this many times longer."""


class HealthChecks:
    """Running means of a run's values, and warnings about those that have looked wrong for long.

    Args:
        phases: those of the run; phases that declare `SupportsHealthChecks` say themselves what looks wrong.
    """

    def __init__(self, phases: Iterable[Phase]) -> None:
        self.phases = {phase.name: phase for phase in phases}
        self._means: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._durations: dict[str, int] = {}
        low, high = PATIENCE
        self.patience = {name: min(high, max(low, phase.steps // 5)) for name, phase in self.phases.items()}

    def update(self, phase: str, values: Mapping[str, float]) -> list[str]:
        """Take the values of the next step of a phase and return the warnings that are due."""
        means = {name: self._update_mean(phase, name, value) for name, value in values.items()}
        problems = list(self._problems(phase, means))
        # A problem that is absent in one step is counted anew.
        self._durations = {problem.title: self._durations.get(problem.title, 0) + 1 for problem in problems}
        patience = self.patience.get(phase, PATIENCE[1])
        durations = ((problem, self._durations[problem.title]) for problem in problems)
        return [
            _warning(problem, steps)
            for problem, steps in durations
            if steps == patience or not steps % (REPEAT_FACTOR * patience)
        ]

    def replay(self, log: Iterable[str]) -> None:
        """Take the lines of a log from before the run was stopped, without repeating its warnings."""
        for line in log:
            values = json.loads(line)
            phase, _ = values.pop("phase"), values.pop("step")
            if "warning" not in values:
                self.update(phase, values)

    def _update_mean(self, phase: str, name: str, value: float) -> float:
        key = f"{phase}/{name}"
        self._counts[key] = self._counts.get(key, 0) + 1
        before = self._means.get(key, value)
        self._means[key] = before + (value - before) / min(self._counts[key], MEAN_STEPS)
        return self._means[key]

    def _problems(self, phase: str, means: Mapping[str, float]) -> Iterable[Problem]:
        checked = self.phases.get(phase)
        return checked.problems(means) if isinstance(checked, SupportsHealthChecks) else ()


def _warning(problem: Problem, steps: int) -> str:
    """Return the warning, one line, after ``steps`` steps."""
    return f"{problem.title} for {steps} steps ({problem.values}); likely causes: {'; '.join(problem.causes)}"
