"""The observers that every run has: its log, the plugins, TensorBoard, and the watch over the figures."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.plugins import registry
from ..data.corpus import Corpus
from ..pipeline.pipeline import Pipeline
from .events import Ended, Event, Observers, Started, Stepped, Warned
from .health_checks import Watch
from .previews import Sampler
from .run_directory import Run
from .tensorboard import open_tensorboard

LOGGER = logging.getLogger("headmotion.training")


@contextmanager
def observing(run: Run, pipeline: Pipeline, corpus: Corpus) -> Iterator[Observers]:
    """The observers of a run: its log, the plugins, TensorBoard; told of an end in any case.

    Args:
        run: its folder gets ``tensorboard/`` and ``samples/``.
        pipeline: what speaks the samples.
        corpus: all splits; see `Sampler`.
    """
    watch = Watch(run.recipe)
    watch.replay(run.log.read_text("utf-8").splitlines())
    sampler = Sampler(pipeline, corpus, run.folder / "samples", run.recipe.preview_every)
    board = open_tensorboard(run.folder / "tensorboard")
    observers = Observers([LogFile(run), tell_plugins, *board], watch, sampler)
    observers(Started(run.recipe.name))
    try:
        yield observers
    except BaseException:
        observers(Ended(None))
        raise


class LogFile:
    """Figures and warnings to the run's ``log.jsonl``; warnings to the logger ``headmotion.training`` as well."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, event: Event) -> None:
        """One line of an event."""
        match event:
            case Stepped(phase, number, values):
                self.run.record(phase.name, number, values)
            case Warned(phase, number, text):
                self.run.record(phase.name, number, {"warning": text})
                LOGGER.warning("%s, step %d: %s", phase.name, number, text)


def tell_plugins(event: Event) -> None:
    """The hook ``headmotion_training_event``."""
    tell = registry().manager.hook.headmotion_training_event
    match event:
        case Started(name):
            tell(event="start", values={"recipe": name})
        case Stepped(phase, number, values):
            tell(event="step", values={"phase": phase.name, "step": number} | dict(values))
        case Ended(Path() as model):
            tell(event="end", values={"model": os.fspath(model)})
