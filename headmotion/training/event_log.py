"""The observers that every run has: its log, the plugins and TensorBoard."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import PluginError
from ..core.plugins import registry
from .build import Training
from .events import Ended, Event, EventDispatcher, Started, Stepped, Warned
from .health_checks import HealthChecks
from .previews import PreviewMaker
from .run_directory import RunDirectory
from .tensorboard import open_tensorboard

LOGGER = logging.getLogger("headmotion.training")


@contextmanager
def dispatching_events(run: RunDirectory, training: Training) -> Iterator[EventDispatcher]:
    """Open the observers of a run; they receive its start, and its end in any case.

    Args:
        run: its folder gets ``tensorboard/`` and ``samples/``.
        training: gives the phases, and what the previews are made with.
    """
    checks = HealthChecks(training.phases)
    checks.replay(run.log.read_text("utf-8").splitlines())
    previews = PreviewMaker(training.pipeline, training.all_clips, run.folder / "samples", run.recipe.preview_every)
    tensorboard = open_tensorboard(run.folder / "tensorboard")
    dispatch = EventDispatcher([EventLog(run), PluginObserver(), *tensorboard], checks, previews)
    dispatch(Started(run.recipe.name))
    try:
        yield dispatch
    except BaseException:
        dispatch(Ended(None))
        raise


class EventLog:
    """Writes values and warnings to ``log.jsonl``; warnings go to the logger ``headmotion.training`` as well."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run

    def __call__(self, event: Event) -> None:
        """Append one line for a step or a warning."""
        match event:
            case Stepped(phase, number, values):
                self.run.record(phase.name, number, values)
            case Warned(phase, number, text):
                self.run.record(phase.name, number, {"warning": text})
                LOGGER.warning("%s, step %d: %s", phase.name, number, text)


class PluginObserver:
    """Calls the hook ``headmotion_training_event`` of each plugin; one that fails is named once and left out."""

    def __init__(self) -> None:
        self.plugins = registry().implementers("headmotion_training_event")

    def __call__(self, event: Event) -> None:
        """Pass an event on, if the hook knows it."""
        match event:
            case Started(name):
                self._notify("start", {"recipe": name})
            case Stepped(phase, number, values):
                self._notify("step", {"phase": phase.name, "step": number} | dict(values))
            case Ended(Path() as model):
                self._notify("end", {"model": os.fspath(model)})

    def _notify(self, event: str, values: dict[str, Any]) -> None:
        for plugin in list(self.plugins):
            try:
                # A copy each, so that no plugin changes what the next one gets.
                registry().call(plugin, "headmotion_training_event", event=event, values=dict(values))
            except PluginError as error:
                self.plugins.remove(plugin)
                LOGGER.warning("%s; the training goes on without telling it", error)
