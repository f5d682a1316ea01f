"""Parts of an installed plugin on the page: each appears with its fields as a form, and does what the fields say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from headmotion.scaffold import new_plugin
from headmotion.serving import Server
from headmotion.testing import installed_plugin


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Three plugins as `headmotion plugins new` makes them, importable and registered."""
    folder = tmp_path_factory.mktemp("plugins")
    with ExitStack() as stack:
        for kind in ("generator", "control", "representation"):
            name = f"form-{kind}"
            sys.path.insert(0, str(new_plugin(name, kind, folder / name) / "src"))
            stack.callback(sys.path.remove, sys.path[0])
            stack.enter_context(installed_plugin(name, f"headmotion_form_{kind}"))
        yield


@pytest.fixture(scope="module")
def page_with_plugins(installed: None, open_page: Any, studio: Server, until: Callable[..., None]) -> Iterator[Any]:
    with open_page() as page:
        page.goto(studio.address)
        page.wait_for_selector("body[data-ready]")
        until(page, "studio.slot.isSettled")
        yield page


def test_a_control_of_a_plugin_acts_at_once(page_with_plugins: Any, until: Callable[..., None]) -> None:
    page = page_with_plugins
    take = page.evaluate("studio.slot.take")
    page.click("#more summary")
    page.click("#more button:has-text('Add a control')")
    page.select_option("#more select", "form-control/nod")
    assert page.locator("#more .fields label").all_inner_texts() == ["reach", "hz"]
    before = page.evaluate("Array.from(studio.slot.motion.pose(6).slice(0, 2))")
    page.fill("#more input[name=reach]", "0.2")
    until(page, "studio.slot.settings.more[0]?.reach === 0.2 && studio.slot.isSettled")
    after = page.evaluate("Array.from(studio.slot.motion.pose(6).slice(0, 2))")
    assert abs(after[1] - before[1]) > 5 and after[0] == pytest.approx(before[0])
    page.click("#slot-b")  # the other version has controls of its own
    assert page.locator("#more fieldset").count() == 0
    page.click("#slot-a")
    assert page.input_value("#more input[name=reach]") == "0.2"
    page.click("#more button:has-text('Remove')")
    until(page, "!studio.slot.settings.more.length && studio.slot.isSettled")
    assert page.evaluate("studio.slot.take") == take  # nothing was generated again


def test_a_generator_and_a_representation_of_plugins_become_a_model(
    page_with_plugins: Any, until: Callable[..., None]
) -> None:
    page = page_with_plugins
    page.click("#parts summary")
    generator, representation = (page.locator("#parts fieldset").nth(k) for k in (0, 1))
    generator.locator("select").select_option("form-generator/window")
    generator.locator("input[name=frames]").fill("3")
    assert "form-representation/mouth" in representation.locator("option").all_inner_texts()
    representation.locator("select").first.select_option("form-representation/mouth")
    page.click("#parts button:has-text('Build')")
    until(page, "studio.slot.model.startsWith('form-generator/window') && studio.slot.raw?.points")
    assert page.evaluate("studio.slot.raw.body.edges.length") > 0  # drawn by its own lines
    assert page.is_enabled("#save [data-format=npz]") and page.is_disabled("#save [data-format=html]")
    generator.locator("input[name=frames]").fill("0")  # what does not fit is one line
    page.click("#parts button:has-text('Build')")
    until(page, "document.getElementById('status').classList.contains('error')")
    assert "frames" in page.inner_text("#status")
