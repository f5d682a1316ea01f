"""The page in a browser: a face that talks, from a recording and from the microphone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import headmotion as hm

ASSETS = Path(hm.__file__).parent / "assets"

# Mean brightness between the lips of the picture that is shown, at several times.
BRIGHTNESS = """async (times) => {
  const { studio } = window;
  const copy = Object.assign(document.createElement("canvas"), { width: 60, height: 30 });
  const brush = copy.getContext("2d", { willReadFrequently: true });
  const { shown } = studio.face;
  const scale = document.getElementById("portrait").width / (shown[2] - shown[0]);
  const lips = studio.face.pose.slice(60, 68).map(([x, y]) => [scale * (x - shown[0]), scale * (y - shown[1])]);
  const [left, right] = [0, 4].map((k) => lips[k][0]);
  const [top, bottom] = [lips[2][1], lips[6][1] + 0.25 * (right - left)];
  const seen = [];
  for (const time of times) {
    studio.player.seek(time);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    brush.drawImage(document.getElementById("portrait"), left, top, right - left, bottom - top, 0, 0, 60, 30);
    const { data } = brush.getImageData(0, 0, 60, 30);
    seen.push(data.reduce((sum, value, k) => sum + (k % 4 < 3 ? value : 0), 0) / (60 * 30 * 3));
  }
  return seen;
}"""


NAMELESS = """[...document.querySelectorAll("button, input, select, textarea, canvas[tabindex]")]
  .filter((part) => !(part.labels?.length || part.textContent.trim() || part.getAttribute("aria-label")))
  .map((part) => part.id)"""


def loud_and_silent_times() -> tuple[list[float], list[float]]:
    """Return times (seconds) of the loudest syllables of the bundled speech, and of its pauses."""
    speech, rate = soundfile.read(ASSETS / "speech.flac", dtype="float32")
    blocks = speech[: len(speech) // (rate // 5) * (rate // 5)].reshape(-1, rate // 5)
    level = np.sqrt((blocks**2).mean(-1))
    order = level[2:].argsort() + 2
    return [0.2 * k + 0.1 for k in order[-5:].tolist()], [0.2 * k + 0.1 for k in order[:5].tolist()]


def test_controls_have_names_and_keys_work(open_studio: Any) -> None:
    page = open_studio
    assert page.evaluate(NAMELESS) == []
    page.focus("#curves")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("studio.player.duration - studio.player.time") == pytest.approx(0.04)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("o")
    assert page.get_attribute("#loop", "aria-pressed") == "true"
    page.keyboard.press("o")


def test_a_face_moves_silently_until_its_sound_is_asked_for(open_studio: Any, until: Callable[..., None]) -> None:
    page = open_studio
    assert page.is_visible("#hear-first") and not page.evaluate("studio.player.isPreviewing")  # motion is reduced here
    page.evaluate("studio.player.preview()")  # as the page does elsewhere
    before = page.evaluate("studio.slot.at(studio.player.time).key")
    until(page, f"studio.slot.at(studio.player.time).key !== '{before}'")
    assert not page.evaluate("studio.player.playing")
    page.click("#hear-first")
    until(page, "!studio.player.isPreviewing && studio.player.time > 0")  # it may be over already on a busy machine
    assert page.is_hidden("#hear-first")
    page.evaluate("studio.player.pause()")


def test_pictures_get_fewer_pixels_where_frames_take_long(open_studio: Any) -> None:
    sizes = open_studio.evaluate("""() => {
      const { stage } = studio;
      const now = performance.now.bind(performance);
      let time = now();
      const run = (ms) => {
        performance.now = () => (time += ms);
        for (let k = 0; k < 60; k += 1) stage.keepPace(true);
        return document.getElementById("portrait").width;
      };
      try {
        stage.setScale(1);
        return [run(40), run(60), run(16)];
      } finally {
        performance.now = now;
        stage.keepPace(false);
      }
    }""")
    assert sizes == [512, 256, 256]


def test_a_sound_file_is_spoken_at_once(open_studio: Any, until: Callable[..., None]) -> None:
    page = open_studio
    before = page.evaluate("studio.slot.take")
    page.evaluate("""() => {
      const { player } = studio;
      player.play = () => ((player.starts = 1 + (player.starts ?? 0)), Object.getPrototypeOf(player).play.call(player));
    }""")
    page.set_input_files("#sound", ASSETS / "speech.flac")
    until(page, f"studio.player.starts === 1 && studio.slot.take !== '{before}'")
    page.evaluate("studio.player.pause()")
    until(page, "studio.slot.isSettled")


def test_mouth_opens_on_vowels_and_closes_in_silence(open_studio: Any, until: Callable[..., None]) -> None:
    page = open_studio
    page.check("#control-close_silence")  # acts without generating again
    until(page, "studio.slot.settings.close_silence && studio.slot.isSettled")
    loud, silent = loud_and_silent_times()
    seen = page.evaluate(BRIGHTNESS, loud + silent)
    # An open mouth is dark inside; a closed one shows lips and teeth of the picture.
    assert np.mean(seen[:5]) < np.mean(seen[5:]) - 5


def test_microphone_moves_the_face(open_studio: Any, until: Callable[..., None]) -> None:
    page = open_studio
    before = page.evaluate("studio.slot.take")
    page.click("#live")
    until(page, 'document.getElementById("delay").textContent.includes("look-ahead")')
    until(page, "studio.live.recent(60).length > studio.live.rate")
    assert page.locator("#time").inner_text() == "live" and page.evaluate("studio.timeline.isRolling")
    page.click("#live")
    # What was said is the recording now, and has a take of its own.
    until(page, f"!studio.live && Boolean(studio.slot.curves) && studio.slot.take !== '{before}'")
    until(page, "document.getElementById('time').textContent.includes('/') && !studio.timeline.isRolling")


def test_notes_about_a_face_are_shown_once(open_studio: Any) -> None:
    show = "async (parts) => (await import('/status.js')).note(...parts)"
    open_studio.evaluate(show, [["The mouth is open."], ["The mouth is open.", "It is loud."]])
    assert open_studio.locator("#note").inner_text() == "The mouth is open. It is loud."
    open_studio.evaluate(show, [[]])
    assert not open_studio.locator("#note").is_visible()


def test_an_empty_text_is_not_sent(open_studio: Any) -> None:
    page, requests = open_studio, []
    page.on("request", lambda request: requests.append(request.url))
    text = page.locator("#text").input_value()
    page.fill("#text", "")
    page.click("#say button")
    assert not any(url.endswith("/studio/speech") for url in requests)
    assert not page.evaluate("document.getElementById('text').checkValidity()")
    page.fill("#text", text)
