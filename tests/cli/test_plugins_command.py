"""``headmotion plugins check``, and plugins that are broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from installed_command import command, write_speech


def test_check_prints_a_line_for_each_check_and_its_status_says_if_all_passed(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run("plugins", "check", "audio-encoders", "--level", "1")
    assert status == 0
    assert out.startswith("audio_encoder:log-mel\n    ok         1  spec-is-registered\n") and " 2  " not in out
    from headmotion.audio_encoders.log_mel import LogMel

    monkeypatch.setattr(LogMel, "forward", lambda self, wave, steps=None: wave)
    status, out, _ = run("plugins", "check", "audio-encoders")
    assert status == 1
    found = "OutputError: audio encoder log-mel: expected forward to return features"
    assert f"    FAILED     1  encoder-output-shape\n        found    {found}" in out


def test_check_takes_specs_of_types_with_required_fields(
    run: Callable[..., tuple[int, str, str]], mistake: Callable[..., str]
) -> None:
    status, out, _ = run("plugins", "check", "representations", "--level", "1")
    assert status == 0 and "required fields without a default: names, parents, offsets; pass a spec" in out
    arm = {"type": "joint-positions", "names": ["shoulder", "left_elbow", "right_elbow"], "parents": [-1, 0, 0]}
    status, out, _ = run("plugins", "check", "representations", "--level", "1", "--spec", json.dumps(arm))
    section = out.split("representation:joint-positions\n")[1].split("\n\n")[0]
    assert status == 0 and "ok         1  representation-is-consistent" in section
    assert "expected a type, or JSON such as" in mistake("plugins", "check", "losses", "--spec", '{"weight": 2}')
    assert "offers no type 'mfcc'" in mistake("plugins", "check", "losses", "--spec", '{"type": "mfcc"}')
    ambiguous = mistake("plugins", "check", "ms-sync", "--spec", '{"type": "ms-sync"}')
    assert '"kind", one of generator, syncer, discriminator' in ambiguous
    assert "expected no field 'x'" in mistake("plugins", "check", "losses", "--spec", '{"type": "sync", "x": 1}')


BROKEN = {
    "raises": "raise RuntimeError('out of order')",
    "misspelt": "import headmotion\n@headmotion.hookimpl\ndef headmotion_spec():\n    return []",
    "thief": (
        "from typing import Literal\nimport headmotion\n"
        "class Spec(headmotion.LossSpec):\n    type: Literal['ms-sync'] = 'ms-sync'\n"
        "    def build(self, context): ...\n"
        "@headmotion.hookimpl\ndef headmotion_specs():\n    return [Spec]"
    ),
}


def test_broken_plugins_break_nothing_else(workdir: Path, model: Path) -> None:
    site = workdir / "site"
    for name, code in BROKEN.items():
        info = site / f"headmotion_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: headmotion-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[headmotion]\n{name} = headmotion_{name}\n")
        (site / f"headmotion_{name}.py").write_text(code)
    write_speech(workdir / "s.wav", 0.2)
    listed = command("plugins", folder=workdir, PYTHONPATH=str(site))
    assert listed.returncode == 0 and "generator:ms-sync" in listed.stdout, listed.stderr
    for name, reason in {"raises": "out of order", "misspelt": "headmotion_specs", "thief": "thief/"}.items():
        assert f"{name}  headmotion-{name} 1.0  error\n" in listed.stdout
        assert reason in listed.stdout
    done = command("animate", "s.wav", "--model", model, "-o", "a.mp4", folder=workdir, PYTHONPATH=str(site))
    assert (done.returncode, done.stdout) == (0, "a.mp4\n"), done.stderr
