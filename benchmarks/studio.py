"""How fast the studio's page is: paint, face, picture and controls.

    python -m benchmarks.studio [--page docs/studio.md]

prints a table, or writes it between the marks of a page. The server is ``headmotion studio`` in a process of its own,
started before the clock. The page is opened by Debian's chromium without a graphics card, in a fresh profile. *First
paint* is the browser's own entry ``first-contentful-paint``; *first talking face* is when the first frame of a motion
could be drawn, so with the bundled model's motion for ten seconds of speech. *A slider* is the time from its event to
the motion that is shown, and *a picture* that of drawing one frame of the talking picture, of the lines and of the
head. Where it takes long the page draws the talking picture with down to half its edge.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .talking_heads.pages import replace_block

ROUNDS = 5
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--mute-audio"]
TIMES = """() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  face: studio.firstFaceMs,
})"""
SLIDER = """async () => {
  const begin = performance.now();
  const input = document.getElementById("control-lips");
  input.value = input.value === "1" ? "1.5" : "1";
  input.dispatchEvent(new Event("input"));
  while (!studio.slot.isSettled) await new Promise((done) => setTimeout(done));
  return performance.now() - begin;
}"""
PICTURE = """(scale) => {
  studio.player.pause();
  studio.stage._portraits[0].setScale(scale);
  const begin = performance.now();
  for (let frame = 0; frame < 50; frame += 1) studio.stage.draw([studio.slot.at(frame / 25)], null);
  document.getElementById("portrait").toDataURL(); // waits for what is drawn
  return (performance.now() - begin) / 50;
}"""
GOALS = {
    "paint": "under 1000",
    "face": "under 5000",
    "slider": "at once",
    "picture": "40 with a graphics card",
    "half": "40",
}
LABELS = {
    "paint": "first paint",
    "face": "first talking face",
    "slider": "a slider",
    "picture": "a picture",
    "half": "a picture of half the edge",
}


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="Page in which the table is replaced.")
    options = parser.parse_args()
    table = as_table(measure())
    print(table)
    if options.page:
        replace_block(options.page, "studio", table.splitlines())


def measure() -> dict[str, list[float]]:
    """Return milliseconds by what is measured, one per round."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "headmotion", "studio", "--port", "0", "--no-browser", "--device", "cpu"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            rounds = [_round(browser, address) for _ in range(ROUNDS)]
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return {name: [values[name] for values in rounds] for name in LABELS}


def _round(browser: Any, address: str) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_selector("body[data-ready]", timeout=300_000)
    while not page.evaluate("Boolean(studio.slot.isSettled && studio.stage.head)"):
        time.sleep(0.1)
    values = dict(page.evaluate(TIMES)) | {"slider": page.evaluate(SLIDER)}
    values |= {"picture": page.evaluate(PICTURE, 1), "half": page.evaluate(PICTURE, 0.5)}
    page.close()
    return values


def as_table(values: dict[str, list[float]]) -> str:
    """Return the medians and the slowest rounds as a table of Markdown."""
    load = os.getloadavg()[0]
    rows = [
        f"| {LABELS[name]} | {statistics.median(times):.0f} | {max(times):.0f} | {GOALS[name]} |"
        for name, times in values.items()
    ]
    head = ["| | median (ms) | slowest (ms) | goal (ms) |", "|---|---|---|---|"]
    rounds = len(values["paint"])
    note = f"{os.cpu_count()} cores, no graphics card, mean load of the minute {load:.1f}, {rounds} rounds."
    return "\n".join(["", *head, *rows, "", note, ""])


if __name__ == "__main__":
    main()
