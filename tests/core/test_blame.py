"""An exception in the code of a plugin's part becomes one line that names the part; others stay what they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from torch import nn

from headmotion import cli
from headmotion.core import blame
from headmotion.core.blame import plugin_error
from headmotion.core.built import checked_part
from headmotion.core.component import Component
from headmotion.core.errors import OutputError, PluginError
from headmotion.core.interfaces.specs import LossSpec
from headmotion.core.spec import building


class BrokenSpec(LossSpec):
    """Spec of a plugin's part that fails."""

    type: Literal["clumsy/loss"] = "clumsy/loss"

    def build(self, context: Any) -> Any:
        raise ValueError("two left\nhands")


class OwnSpec(BrokenSpec):
    """The same without a namespace."""

    type: Literal["loss"] = "loss"  # type: ignore[assignment]


class Broken(Component):
    """A part whose code fails in a function that it calls."""

    def forward(self, error: BaseException) -> None:
        self._raise(error)

    @staticmethod
    def _raise(error: BaseException) -> None:
        raise error


def failed(spec: LossSpec, error: BaseException) -> BaseException:
    try:
        nn.Sequential(Broken(spec))(error)
    except BaseException as caught:
        return caught
    raise AssertionError


def test_the_part_is_named() -> None:
    blamed = plugin_error(failed(BrokenSpec(), ZeroDivisionError("by\nzero")))
    assert str(blamed).startswith(
        "loss clumsy/loss: expected its code to succeed, got ZeroDivisionError: by zero (test_blame.py, line "
    )
    assert str(blamed).endswith("; headmotion plugins check clumsy says more")
    assert plugin_error(failed(OwnSpec(), ZeroDivisionError())) is None


def test_what_python_makes_of_an_exception_is_seen_through() -> None:
    def session() -> Iterator[None]:
        raise failed(BrokenSpec(), StopIteration())
        yield

    with pytest.raises(RuntimeError, match="generator raised StopIteration") as caught:
        next(session())
    assert "got StopIteration" in str(plugin_error(caught.value))


def test_while_parts_are_built() -> None:
    expected = r"^loss clumsy/loss: expected its code to succeed, got ValueError: two left"
    with pytest.raises(PluginError, match=expected), building("pipeline"):
        BrokenSpec().build(None)


@pytest.mark.parametrize(
    "error", [RuntimeError("no"), SystemExit(0), SystemExit("bye"), BaseException("x"), StopIteration()]
)
def test_on_the_command_line(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def licenses(**_: Any) -> None:
        raise failed(BrokenSpec(), error)

    monkeypatch.setattr(cli.cli.commands["licenses"], "callback", licenses)
    monkeypatch.setattr(sys, "argv", ["headmotion", "licenses"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: loss clumsy/loss: expected its code to succeed") and err.count("\n") == 1 and not out


@pytest.mark.parametrize("built", [None, 3, nn.Linear(1, 1), Path])
def test_what_is_no_part_is_refused(built: Any) -> None:
    with pytest.raises(OutputError, match=r"^loss clumsy/loss: expected build to return a loss, got "):
        checked_part(BrokenSpec(), built)
    part = Broken(BrokenSpec())
    assert checked_part(BrokenSpec(), part) is part


def test_a_wrapped_method_is_the_part_s_own() -> None:
    class Wrapped(Broken):
        def forward(*arguments: Any, **options: Any) -> None:
            raise KeyError

    try:
        Wrapped(BrokenSpec()).forward(ValueError())
    except KeyError as caught:
        blamed = plugin_error(caught)
    assert blamed is not None and "clumsy/loss" in str(blamed)


def test_code_that_is_in_no_part_is_named_by_its_plugin(fake_plugins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase and a converter, for example, have no spec that they hold."""
    hook = "from headmotion import hookimpl\n@hookimpl\ndef headmotion_converters(): return []\n"
    fake_plugins.install("headmotion-clumsy", "def convert():\n    return {}['absent']\n" + hook)
    found = fake_plugins.registry()
    monkeypatch.setattr(blame, "registry", lambda: found)
    ((_, module),) = found.manager.list_name_plugin()
    with pytest.raises(KeyError) as caught:
        module.convert()
    expected = "plugin clumsy: expected its code to succeed, got KeyError: 'absent' (fake_plugin_"
    assert str(plugin_error(caught.value)).startswith(expected)
