from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from headmotion.training import event_log
from headmotion.training.event_log import PluginObserver
from headmotion.training.events import Ended, Started, Stepped

HOOK = """
from headmotion.core.hookspecs import hookimpl
@hookimpl
def headmotion_training_event(event, values):
    {}
"""


@pytest.mark.parametrize(("body", "said"), [("1 / 0", "ZeroDivisionError"), ("raise SystemExit", "SystemExit")])
def test_a_plugin_that_fails_is_named_once_and_left_out(fake_plugins, monkeypatch, caplog, body, said) -> None:
    fake_plugins.install("headmotion-bad", HOOK.format(body))
    fake_plugins.install("headmotion-good", HOOK.format("print(event, sorted(values)); values.clear()"))
    fake_plugins.install("headmotion-last", HOOK.format("print(event, sorted(values)); values.clear()"))
    registry = fake_plugins.registry()
    monkeypatch.setattr(event_log, "registry", lambda: registry)
    shown: list[str] = []
    monkeypatch.setattr("sys.stderr", SimpleNamespace(write=shown.append, flush=lambda: None))
    observe = PluginObserver()
    for event in (Started("smoke"), Stepped(SimpleNamespace(name="gan"), 3, {"loss": 1.0}), Ended(Path("m"))):
        observe(event)
    lines = [line for line in "".join(shown).splitlines() if "warning" not in line.lower()]
    expected = [f"{event} {names}" for event, names in EVENTS for _ in ("good", "last")]
    assert [line for line in lines if line.split()[0] in ("start", "step", "end")] == expected
    (message,) = [record.getMessage() for record in caplog.records if record.name == "headmotion.training"]
    assert message.startswith("plugin bad: expected headmotion_training_event to succeed, got ") and said in message


EVENTS = [("start", ["recipe"]), ("step", ["loss", "phase", "step"]), ("end", ["model"])]
