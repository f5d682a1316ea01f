"""Commands that tell about types, plugins, licenses, models and motions; they answer quickly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import headmotion as hm
from headmotion.core.checkpoint import load_checkpoint, save_checkpoint


def _run_after(arguments: list[str], code: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run code in a process whose command line has run a command, and more code before that."""
    command = (
        f"sys.argv = ['headmotion', *{arguments}]\nfrom headmotion.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
    )
    whole = f"import atexit, gc, sys\n{before}{command}{code}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_help_needs_no_torch_and_ends_without_a_search_for_cycles() -> None:
    done = _run_after(
        ["--help"],
        "heavy = {'torch', 'numpy', 'cv2', 'av', 'librosa', 'pydantic'} & set(sys.modules)\nassert not heavy, heavy\n",
        before="atexit.register(lambda: print('frozen:', gc.get_freeze_count() > 0))\n",
    )
    # What is printed at the end of the process is no result.
    assert "animate" in done.stdout and done.stderr.endswith("frozen: True\n")


def test_no_search_for_cycles_among_all_objects_while_torch_is_imported() -> None:
    _run_after(
        ["--help"],
        "before = gc.get_stats()\nimport torch\nyoung, _, all_objects = [\n"
        "    now['collections'] - then['collections'] for now, then in zip(gc.get_stats(), before)]\n"
        "assert young > 0 == all_objects, gc.get_stats()\n",
    )


@pytest.mark.parametrize("arguments", [["plugins"], ["schema"], ["schema", "recipe"], ["licenses"]])
def test_commands_about_specs_need_no_torch(arguments: list[str]) -> None:
    _run_after(arguments, "assert 'torch' not in sys.modules\n")


def test_schema_names_the_types(run: Callable[..., tuple[int, str, str]], workdir: Path) -> None:
    status, out, _ = run("schema")
    assert status == 0
    assert {"representation", "audio_encoder", "generator", "renderer"} <= set(json.loads(out)["properties"])
    assert "ms-sync" in out and "landmarks68" in out
    status, recipe, _ = run("schema", "recipe")
    phases = json.dumps(json.loads(recipe)["properties"]["phases"])
    assert status == 0 and all(name in phases for name in ("contrastive", "adversarial", "supervised", "fit"))
    status, printed, _ = run("schema", "-o", "made/schema.json")
    assert (status, printed) == (0, "made/schema.json\n")
    assert json.loads((workdir / "made/schema.json").read_text()) == json.loads(out)


def test_licenses_name_every_file_that_is_no_code(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("licenses")
    assert status == 0
    package = Path(hm.__file__).parent
    bundled = {
        path.name
        for path in package.rglob("*.*")
        if path.suffix not in {".py", ".pyc", ".md", ".txt", ".yaml", ".typed", ".html", ".css", ".js"}
    }
    assert {"portrait.png", "speech.flac", "ms-sync.safetensors"} <= bundled
    for name in bundled:
        assert f"\n{name}  " in out and "  bundled, by " in out, name
    for weights in ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar", "face_landmarker.task"):
        (line,) = [line for line in out.splitlines() if line.startswith(weights)]
        assert "optional, by detectors" in line
    markdown = (package / "assets/LICENSES.md").read_text()
    assert all(
        f"`{path.name}`" in markdown for path in (package / "assets").iterdir() if path.suffix in (".png", ".flac")
    )


def test_plugins_lists_own_parts(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("plugins")
    assert status == 0
    assert "generator:ms-sync" in out and "representation:landmarks68" in out
    assert "    model:ms-sync\n" in out and "    recipe:small-cpu\n" in out
    assert "    converter:mesh478 to landmarks68  (loses depth and all points but 68)\n" in out
    assert run("plugins", "list")[1] == out


def test_inspect_counts_many_sources_and_lists_all_on_request(
    run: Callable[..., tuple[int, str, str]], model: Path
) -> None:
    header, tensors = load_checkpoint(model)
    voices = [f"espeak, voice {k}" for k in range(50)]
    sources = ["GRID corpus, s1", "GRID corpus, s2", "a.mp4", *voices]
    earlier = {"name": "base", "sources": [f"{k}.mp4" for k in range(20)]}
    card = {"sources": sources, "from": [earlier, 3]}
    path = save_checkpoint(model.parent / "many.safetensors", header.spec, tensors, card=card)
    short = json.loads(run("inspect", path)[1])["card"]
    assert short["sources"] == [*sources[:3], *voices[:2], "... and 48 more that begin with 'espeak'"]
    assert short["from"] == [{"name": "base", "sources": [*earlier["sources"][:8], "... and 12 others"]}, 3]
    assert json.loads(run("inspect", path, "--all")[1])["card"] == card
    save_checkpoint(path, header.spec, tensors, card={"sources": sources[:8], "from": "nothing"})
    assert json.loads(run("inspect", path)[1])["card"]["sources"] == sources[:8]
    save_checkpoint(path, header.spec, tensors, card={"sources": {"a": 1}})
    assert json.loads(run("inspect", path)[1])["card"]["sources"] == {"a": 1}


def test_inspect_model_and_motion(run: Callable[..., tuple[int, str, str]], workdir: Path, model: Path) -> None:
    status, out, _ = run("inspect", model)
    assert status == 0
    assert json.loads(out)["spec"]["generator"]["type"] == "ms-sync"
    assert json.loads(run("inspect", "causal-flow")[1])["card"]["clips"] > 0
    hm.Motion(np.zeros((5, 68, 2), np.float32), Fraction(30000, 1001)).save("m.npz")  # type: ignore[arg-type]
    status, out, _ = run("inspect", "m.npz")
    described = json.loads(out)
    assert (status, described["frames"], described["fps"], described["points"]) == (0, 5, "30000/1001", 68)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("corpus.json", "inspect-corpus takes a corpus"), ("model.safetensors", "give thing/model.safetensors")],
)
def test_inspect_says_what_to_do_with_a_folder(
    name: str, hint: str, run: Callable[..., tuple[int, str, str]], workdir: Path
) -> None:
    (workdir / "thing").mkdir()
    (workdir / "thing" / name).touch()
    status, _, text = run("inspect", "thing")
    assert status == 2 and "'thing' is a folder: " in text and hint in text


def test_no_arguments_show_the_help(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run()
    assert status == 0 and "Commands:" in out
