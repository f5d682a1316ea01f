"""Campaign of readers: a good file of every format is damaged, replaced, or given another value inside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from random import Random

from .byte_mutations import MUTATIONS
from .case import Call, Finding, Outcome, Result, summary
from .documents import STRUCTURED
from .forked import CANARY, call
from .rules import check, check_outputs, contents
from .trees import SETUPS, Setup

_OUTPUT = "made"


@dataclass(frozen=True)
class FilesCampaign:
    """Every reader, through the commands that reach it.

    Args:
        trees: good inputs by name of the setup, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "files"
    title: str = "damaged files"

    def run(self, rng: Random, folder: Path) -> Result:
        """Damage one file of one setup, and run the commands that read it."""
        setup = SETUPS[rng.choice(list(SETUPS))]
        here = folder / "here"
        shutil.copytree(self.trees / setup.name, here, symlinks=True)
        _put_canaries(folder / "beside")
        done = _damage(here, setup, rng)
        variant = f"{setup.name}: {done}"
        findings: list[Finding] = []
        outcomes: list[Outcome] = []
        for one in setup.calls(rng):
            found, outcome = judged(one, folder, variant)
            findings += found
            outcomes.append(outcome)
        return Result(variant, tuple(findings), **summary(outcomes))


def judged(
    one: Call, folder: Path, variant: str, environment: Mapping[str, str] | None = None
) -> tuple[list[Finding], Outcome]:
    """Run a call, and return what it broke, its outputs included."""
    (folder / "here").mkdir(exist_ok=True)
    before = contents(folder)
    outcome = call(one, folder, dict(environment or {}))
    after = contents(folder)
    findings = [*check(one, outcome, before, after, variant)]
    if outcome.status == 0:
        made = [path for path in after if path not in before and path.startswith(f"here/{one.output or ' '}")]
        findings += [Finding(rule, detail, one.arguments, variant) for rule, detail in check_outputs(folder, made)]
    return findings, outcome


def _put_canaries(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for suffix in ("", ".npz", ".flac", ".json", ".safetensors", ".mp4"):
        (folder / f"{CANARY}{suffix}").write_bytes(b"nothing to see")


def _damage(here: Path, setup: Setup, rng: Random) -> str:
    """Damage one of the files that a setup names, and return how."""
    target = rng.choice(sorted(path for pattern in setup.targets for path in here.glob(pattern) if path.is_file()))
    name = target.relative_to(here).as_posix()
    kinds: dict[str, Callable[[Path, Random], str]] = {"bytes": _bytes, "place": _place}
    if (suffix := PurePosixPath(name).suffix) in STRUCTURED:
        kinds["value"] = lambda path, rng: _value(path, rng, suffix)
    weights = {"bytes": 4, "place": 1, "value": 10}
    kind = rng.choices(list(kinds), [weights[kind] for kind in kinds])[0]
    return f"{name}, {kinds[kind](target, rng)}"


def _bytes(path: Path, rng: Random) -> str:
    name = rng.choice(list(MUTATIONS))
    path.write_bytes(MUTATIONS[name](path.read_bytes(), rng))
    return name


def _value(path: Path, rng: Random, suffix: str) -> str:
    content, done = STRUCTURED[suffix](path.read_bytes(), rng)
    path.write_bytes(content)
    return done


def _place(path: Path, rng: Random) -> str:
    """Put something else where the file was."""
    good = path.read_bytes()
    path.unlink()
    kind = rng.choice(["nothing", "empty", "folder", "pipe", "endless", "loop", "sparse", "link", "dangling"])
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "sparse":
        path.write_bytes(good)
        os.truncate(path, 1 << 40)
    elif kind == "link":
        inside = path.with_name(f"linked{path.suffix}")
        inside.write_bytes(good)
        path.symlink_to(inside.name)
    elif kind == "dangling":
        path.symlink_to("absent")
    return f"{kind} in its place"
