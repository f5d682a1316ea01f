"""A folder that talks in the browser alone."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headmotion as hm
from headmotion.export import write_start
from headmotion.studio import onnx_page, write_web_page
from headmotion.studio.faces import bundled_face
from headmotion.studio.onnx_page import RUNTIME_FILES

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
SPEECH_FILE = Path(hm.__file__).parent / "assets" / "speech.flac"
RUNTIME = Path(__file__).parents[2] / "node_modules" / "onnxruntime-web"


def small() -> hm.Pipeline:
    return hm.build({"generator": SMALL | {"initial_state": "random"}}, device="cpu")


def test_runtime_is_named_where_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(hm.HeadmotionError, match="npm install onnxruntime-web"):
        write_web_page(small(), tmp_path / "page", runtime=tmp_path)
    blendshapes = hm.build({"generator": SMALL, "representation": "blendshapes"}, device="cpu")
    with pytest.raises(hm.HeadmotionError, match="landmarks68"):
        write_web_page(blendshapes, tmp_path / "page", runtime=tmp_path)
    assert not list(tmp_path.iterdir())


def write_state_only(pipeline: hm.Pipeline, path: Path, reference: Any, seed: int) -> None:
    """Take the place of `write_onnx`, which takes long and is tested with the export."""
    path.write_bytes(b"")
    write_start(pipeline, path.with_suffix(".npz"), reference, seed)


def test_folder_has_all_that_the_page_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_page, "write_onnx", write_state_only)
    for name in RUNTIME_FILES:
        (tmp_path / name).write_bytes(b"")
    folder = write_web_page(small(), tmp_path / "page", runtime=tmp_path)
    names = {path.name for path in folder.iterdir()}
    assert {
        "index.html",
        "api.js",
        "model.onnx",
        "speech.flac",
        "LICENSES.txt",
        *RUNTIME_FILES,
    } <= names
    assert "InferenceSession" in (folder / "api.js").read_text("utf-8") and "static_api.js" not in names
    state = json.loads((folder / "state.json").read_text("utf-8"))
    assert state["lookahead_ms"] > 0 and len(state["edits"]["shape"]) == 68
    assert state["samples"] == 8 * 640 and len(state["reference"]) == 68 and len(state["scale"]) == 2 * 68


@pytest.mark.skipif(not RUNTIME.is_dir(), reason="npm install onnxruntime-web")
def test_page_talks_without_a_server(page: Any, tmp_path: Path) -> None:
    pipe, face = hm.load("causal-flow", device="cpu"), bundled_face()
    folder = write_web_page(pipe, tmp_path / "page", runtime=RUNTIME)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{server.server_port}")
        page.wait_for_function("window.studio?.slot?.curves")
        # The graph draws its noise by integers of 64 bits, which the browser's runtime has, too.
        landmarks = np.reshape(page.evaluate("Array.from(studio.slot.raw.landmarks)"), (-1, 68, 2))
        expected = pipe.generate(SPEECH_FILE, face.reference(pipe))
        assert np.abs(landmarks - expected.values.numpy()).max() < 0.01 * expected.frame.side
        mouth = page.evaluate("studio.slot.curves.mouth")
        assert max(mouth) > 2 * min(mouth)
        page.locator("#control-lips").fill("0")  # a control without a server
        page.wait_for_function("studio.slot.settings.lips === 0 && studio.slot.isSettled")
        assert page.evaluate("Math.max(...studio.slot.curves.mouth)") < 0.7 * max(mouth)
        page.click("#live")  # and the microphone
        page.wait_for_function("studio.live && studio.livePanel.rolling.length > 10")
        assert "look-ahead" in page.inner_text("#delay")
        page.click("#live")
        server.shutdown()
