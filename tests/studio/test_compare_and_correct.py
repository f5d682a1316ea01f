"""The page in a browser: two versions side by side, AV-Conf, and what is corrected by dragging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Until = Callable[..., None]

PLACE_OF = """(point) => {
  const { face } = studio;
  const box = document.getElementById("overlay").getBoundingClientRect();
  const [x0, y0, x1] = face.shown;
  const scale = Math.min(box.width, box.height) / (x1 - x0);
  return [0, 1].map((c) => [box.left, box.top][c] + (face.still[2 * point + c] - [x0, y0][c]) * scale);
}"""


def drag(page: Any, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0] / 2, start[1] + by[1] / 2)
    page.mouse.move(start[0] + by[0], start[1] + by[1])
    page.mouse.up()


def test_confidence_is_shown_at_four_levels(open_studio: Any, until: Until) -> None:
    page = open_studio
    until(page, "studio.slot.confidence")
    levels = page.evaluate("studio.slot.confidence.map((level) => [level.frame_ms, level.confidence])")
    assert [ms for ms, _ in levels] == [40, 80, 160, 320]
    assert all(confidence > 1 for _, confidence in levels)
    assert page.locator("#legend li", has_text="AV-Conf").count() == 4
    assert page.evaluate("studio.slot.curves.sync3.length === studio.slot.motion.frames")


def test_two_versions_are_drawn_side_by_side_in_step(open_studio: Any, until: Until) -> None:
    page = open_studio
    page.click("#slot-copy")  # the copy is the version that the sliders change
    page.click("#compare")
    page.locator("#control-lips").fill("0")
    page.locator("#control-head").fill("0")
    until(page, "studio.slots[1].isSettled")
    pictures = """async (time) => {
      studio.player.seek(time);
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return ["portrait", "portrait-b"].map((id) => document.getElementById(id).toDataURL());
    }"""
    first, second = page.evaluate(pictures, 1.2)
    assert first != second and first != page.evaluate(pictures, 2.4)[0]
    assert page.inner_text("#other-name").startswith("B")
    page.check("#mesh")  # landmarks of the picture that they lie on, whichever version the sliders change
    overlay = """async (active) => {
      studio.choose(active);
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return document.getElementById("overlay").toDataURL();
    }"""
    assert page.evaluate(overlay, 0) == page.evaluate(overlay, 1)
    page.uncheck("#mesh")
    spread = "(name) => studio.slots.map((slot) => Math.max(...slot.curves[name]) - Math.min(...slot.curves[name]))"
    mouth, other_mouth = page.evaluate(spread, "mouth")
    assert other_mouth < 0.3 * mouth  # lips at rest, in step with those that speak
    page.click("#compare")
    page.click("#slot-a")
    assert page.is_hidden("#portrait-b")


def test_a_mouth_shape_is_corrected_by_dragging_its_curve(open_studio: Any, until: Until) -> None:
    page = open_studio
    page.click("#correct")
    frames = page.evaluate("studio.slot.motion.frames")
    shape = page.evaluate("studio.slot.raw.shapes.reduce((a, b) => (b.frames > a.frames ? b : a))")
    middle = shape["first"] + shape["frames"] // 2
    before = page.evaluate("studio.slot.curves.mouth")
    box = page.locator("#curves").bounding_box()
    place = (box["x"] + box["width"] * (middle + 0.5) / frames, box["y"] + box["height"] * 0.36)
    drag(page, place, (0, -14))
    until(page, "studio.slot.settings.opening && studio.slot.isSettled")
    after = page.evaluate("studio.slot.curves.mouth")
    assert after[middle] > before[middle] + 0.02
    far = [k for k in range(frames) if not -5 < k - shape["first"] < shape["frames"] + 5]
    assert [after[k] for k in far] == pytest.approx([before[k] for k in far], abs=1e-6)
    page.focus("#curves")
    page.keyboard.press("ArrowDown")  # by keys, too
    until(page, f"studio.slot.curves.mouth[{middle}] < {after[middle] - 0.01}")
    page.click("#uncorrect")
    until(page, "!studio.slot.settings.opening && studio.slot.isSettled")
    assert page.evaluate("studio.slot.curves.mouth") == pytest.approx(before)
    page.click("#correct")


def test_a_landmark_is_dragged_and_kept(open_studio: Any, until: Until) -> None:
    page = open_studio
    page.click("#points")
    name, landmarks = page.evaluate("[studio.face.name, studio.face.landmarks]")
    drag(page, tuple(page.evaluate(PLACE_OF, 8)), (0, 12))
    until(page, f"studio.face.name !== '{name}'")
    corrected = page.evaluate("studio.face.landmarks")
    assert corrected[8][1] > landmarks[8][1] + 3
    others = [k for k in range(68) if k != 8]
    assert [corrected[k][0] for k in others] == pytest.approx([landmarks[k][0] for k in others], abs=1e-3)
    page.focus("#overlay")
    page.keyboard.press("n")
    page.keyboard.press("ArrowLeft")
    until(page, f"studio.face.landmarks[9][0] < {corrected[9][0] - 0.3}")  # the one after that which was dragged
    page.click("#points")
    assert page.evaluate("document.getElementById('overlay').hidden || !studio.stage.isEditingPoints")


def test_the_webcam_gives_a_face(open_studio: Any, until: Until) -> None:
    page = open_studio
    count = page.locator("#faces button").count()
    page.click("#webcam")
    until(page, "document.getElementById('webcam-video').videoWidth > 0")
    page.click("#snap")
    until(page, f"document.getElementById('faces').children.length > {count}")
    assert page.get_attribute("#faces button:last-child", "aria-label") == "Face webcam"
    assert page.evaluate("document.getElementById('webcam-video').srcObject === null")
    until(page, "studio.slot.isSettled")
