"""What notebooks show: one line for every object, and HTML for motion, pipeline and corpus."""

from __future__ import annotations

import dataclasses
import html
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.short_repr import fields_repr
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.kinds import write_synthetic_shards
from headmotion.export.motion_page import motion_page

LINE = 200
"""Letters of the longest line."""
SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
SPEECH = Path(hm.__file__).parent / "assets" / "speech.flac"


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build({"generator": SMALL | {"initial_state": "random"}}, device="cpu")


@pytest.fixture(scope="module")
def motion(pipe: hm.Pipeline) -> hm.Motion:
    return pipe.generate(SPEECH)


def test_objects_are_one_short_line(pipe: hm.Pipeline, motion: hm.Motion) -> None:
    tensor = torch.zeros(2, 3, 68, 2)
    pictures = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    objects = [
        *(
            pipe,
            motion,
            pipe.generator,
            pipe.audio_encoder,
            pipe.representation,
            pipe.renderer,
            pipe.stream(),
            pipe.pool(),
        ),
        *(
            hm.Audio(np.zeros(800, np.float32), 16_000),
            pipe.reference(None),
            hm.UnitSquare(0, 0, 1),
            hm.Pyramid(4, 7, 2),
        ),
        hm.SyncerPyramid([hm.resolve_spec("syncer", "ms-sync").build(pipe.context())], hm.Pyramid(1, 7, 2)),
        hm.Detection(tensor[0, 0], (0.0, 0.0, 1.0, 1.0)),
        hm.PicturePair(pictures, pictures, tensor[0]),
        hm.MetricInput("clip", motion, audio=hm.Audio(np.zeros(800, np.float32), 16_000)),
        hm.Estimate(motion, tensor[0]),
        *(pipe.spec.representation, pipe.context(), hm.controls.scale_head(0.5)),
    ]
    for item in objects:
        assert "\n" not in repr(item) and len(repr(item)) <= LINE, type(item).__name__
    assert repr(hm.Detection(tensor[0, 0], (0.0, 0.0, 1.0, 1.0))).startswith("Detection(pose=float32 [68, 2]")


def test_public_classes_with_arrays_have_the_short_form() -> None:
    """A dataclass of arrays would print its numbers over hundreds of lines."""
    classes = [value for name in hm.__all__ if inspect.isclass(value := getattr(hm, name))]
    with_arrays = [
        part
        for part in (*classes, Clip)
        if dataclasses.is_dataclass(part) and "Tensor" in str(inspect.get_annotations(part))
    ]
    assert len(with_arrays) > 3
    for part in with_arrays:
        assert part is hm.Motion or part.__repr__ is fields_repr, part.__name__


def test_a_motion_is_a_page_in_a_frame_with_curves_waveform_and_sound(motion: hm.Motion) -> None:
    shown = motion._repr_html_()
    assert shown is not None and shown.startswith("<iframe srcdoc=") and 'sandbox="allow-scripts"' in shown
    page = html.unescape(shown)
    assert not re.search(r"https?://|src=\"|href=", page.removeprefix("<iframe srcdoc"))
    for word in ("Mouth", "Pitch", "Eyes", "peaks", "data:audio/flac"):
        assert word in page
    assert len(shown) < 700_000


def test_a_long_motion_stays_small() -> None:
    values = hm.resolve_spec("representation", "landmarks68").build().neutral().expand(25 * 600, 68, 2)
    noise = 0.001 * torch.randn(values.shape, generator=torch.Generator().manual_seed(0))
    motion = hm.Motion(values + noise, 25, units="unit")  # type: ignore[arg-type]
    shown = motion._repr_html_()
    assert shown is not None and len(shown) < 300_000


def test_speech_goes_where_its_frames_go(motion: hm.Motion) -> None:
    assert motion.speech is not None and motion[:5].speech is motion.speech and motion[5:].speech is None
    assert motion.to("blendshapes").speech is motion.speech
    assert hm.controls.smooth(motion, 80).speech is motion.speech


@pytest.mark.parametrize("type_name", ["blendshapes", "mesh478"])
def test_other_representations_have_a_page(motion: hm.Motion, type_name: str) -> None:
    if type_name == "mesh478":
        built = hm.resolve_spec("representation", type_name).build()
        motion = hm.Motion(built.neutral().expand(5, -1, -1), 25, {"type": type_name}, units="unit")  # type: ignore[arg-type]
    else:
        motion = motion.to(type_name)
    assert '"Mouth"' in motion_page(motion, motion.build_representation())


def test_a_body_has_a_page(tmp_path: Path) -> None:
    body = {"type": "joint-positions", "names": ("a", "b", "c"), "parents": (-1, 0, 1)}
    motion = hm.Motion(torch.rand(6, 3, 3, generator=torch.Generator().manual_seed(0)), 25, body)  # type: ignore[arg-type]
    assert '"Speed"' in motion.save(tmp_path / "body.html").read_text("utf-8")


def test_a_motion_without_frames_is_its_line(motion: hm.Motion) -> None:
    assert motion[:0]._repr_html_() is None


def test_pipeline_and_corpus_are_tables(pipe: hm.Pipeline, tmp_path: Path) -> None:
    table = pipe._repr_html_()
    assert "ms-sync" in table and "hidden_size 32" in table and "look-ahead 280 ms" in table
    write_synthetic_shards(tmp_path / "corpus", "faces", clips=3, seconds=1.0)
    table = open_corpus(tmp_path / "corpus")._repr_html_()
    assert table.count("<tr>") == 4 and "3 clips" in table


def test_the_page_of_a_motion_plays(motion: hm.Motion, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    import shutil

    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("there is no chromium (Debian's package chromium)")
    path = motion.save(tmp_path / "talk.html")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--mute-audio"], timeout=120_000
        )
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        assert page.evaluate("[count, LANES.length, end() > 9]") == [len(motion), 3, True]
        seen = [page.evaluate(f"seek({time}), document.getElementById('lines').toDataURL()") for time in (0.0, 1.2)]
        browser.close()
    assert seen[0] != seen[1] and not errors


def test_importing_needs_no_torch() -> None:
    code = "import sys, headmotion, headmotion.export; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
