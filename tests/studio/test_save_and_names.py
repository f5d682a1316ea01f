"""The page in a browser: what is saved, the names that a screen reader says, and a narrow screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BEGINNINGS = {
    "mp4": b"\x00\x00\x00",
    "webm": b"\x1a\x45\xdf\xa3",
    "npz": b"PK",
    "csv": b"time,",
    "glb": b"glTF",
    "live-link": b"Timecode",
    "vtt": b"WEBVTT",
    "html": b"<!doctype html>",
    "gif": b"GIF",
    "spec": b"{",
}
SHORTER = "(({ samples, rate }) => studio.setSpeech({ samples: samples.slice(0, rate / 2), rate }))(studio.speech)"
ROLES = {"button", "checkbox", "slider", "combobox", "textbox", "spinbutton", "image", "img"}


@pytest.fixture(scope="module")
def short_take(open_studio: Any, until: Callable[..., None]) -> Any:
    """The page with half a second of speech, because a video of ten takes long to write."""
    page = open_studio
    page.evaluate(
        "(({ samples, rate }) => studio.setSpeech({ samples: samples.slice(0, rate / 2), rate }))(studio.speech)"
    )
    until(page, "studio.slot.isSettled && studio.slot.motion.frames < 20")
    return page


@pytest.mark.parametrize("format", BEGINNINGS)
def test_every_button_saves_its_file(short_take: Any, tmp_path: Path, format: str) -> None:
    with short_take.expect_download() as download:
        short_take.click(f"#save [data-format={format}]")
    path = tmp_path / "saved"
    download.value.save_as(path)
    content = path.read_bytes()
    assert content.startswith(BEGINNINGS[format]) and len(content) > 100
    if format == "spec":
        assert json.loads(content)["controls"] == {"blink": 12}


def test_a_body_alone_offers_bvh(short_take: Any) -> None:
    assert short_take.is_hidden("#save [data-format=bvh]")


def test_what_can_be_used_has_a_name_in_the_accessibility_tree(short_take: Any) -> None:
    page = short_take
    for summary in page.locator("summary").all():  # forms count, too
        summary.click()
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    used = [node for node in nodes if not node["ignored"] and node["role"]["value"] in ROLES]
    assert len(used) > 40
    nameless = [node["role"]["value"] for node in used if not node.get("name", {}).get("value", "").strip()]
    assert nameless == []
    for summary in page.locator("summary").all():
        summary.click()


def test_a_narrow_screen_has_no_sideways_scrolling(short_take: Any, until: Callable[..., None]) -> None:
    page = short_take
    page.set_viewport_size({"width": 390, "height": 844})
    for click in (None, "#compare", "#correct"):
        if click:
            page.click(click)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, click
    page.click("#compare")
    page.click("#correct")
    page.set_viewport_size({"width": 1280, "height": 900})
