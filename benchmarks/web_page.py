"""How fast a model computes in a browser: of a folder that ``headmotion export -o page --web`` wrote.

``python -m benchmarks.web_page page [--page docs/studio.md]`` opens it in Debian's chromium, without a graphics card.
*First talking face* includes loading the model and computing the motion of the bundled speech; the *real-time factor*
is the time of computing that motion again, over the speech's duration.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .studio import ARGUMENTS, TIMES
from .talking_heads.pages import replace_block

ROUNDS = 3
FACTOR = """async () => {
  const { take } = await import("./api.js");
  const begin = performance.now();
  const { frames } = await take(studio.wav);
  return (performance.now() - begin) / 1000 / (frames / 25);
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, help="Page in which the table is replaced.")
    options = parser.parse_args()
    table = as_table(options.folder, measure(options.folder))
    print(table)
    if options.page:
        replace_block(options.page, "web page", table.splitlines())


def measure(folder: Path) -> list[dict[str, float]]:
    """Return what each round measured."""
    from playwright.sync_api import sync_playwright

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            rounds = [_round(browser, f"http://127.0.0.1:{server.server_port}") for _ in range(ROUNDS)]
            browser.close()
        server.shutdown()
    return rounds


def _round(browser: Any, address: str) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(300_000)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    while not page.evaluate("Boolean(studio.firstFaceMs)"):
        time.sleep(0.1)
    values = dict(page.evaluate(TIMES)) | {"factor": page.evaluate(FACTOR)}
    page.close()
    return values


def as_table(folder: Path, rounds: list[dict[str, float]]) -> str:
    """Return the medians as a table of Markdown."""
    model = json.loads((folder / "info.json").read_text("utf-8"))["models"][0]["name"]
    megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    median = {name: statistics.median(values[name] for values in rounds) for name in rounds[0]}
    row = f"| `{model}` | {megabytes:.0f} | {median['paint']:.0f} | {median['face']:.0f} | {median['factor']:.2f} |"
    head = [
        "| model | size (MB) | first paint (ms) | first talking face (ms) | real-time factor |",
        "|---|---:|---:|---:|---:|",
    ]
    note = (
        f"{os.cpu_count()} cores, no graphics card, mean load of the minute {os.getloadavg()[0]:.1f}, {ROUNDS} rounds."
    )
    return "\n".join(["", *head, row, "", note, ""])


if __name__ == "__main__":
    main()
