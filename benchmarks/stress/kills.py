"""Campaign of kills: every command that writes is killed in the middle, and called again."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .case import Call, Finding, Outcome, Result, summary
from .files import judged
from .forked import Killing, call
from .rules import check_outputs, contents, is_left_over


@dataclass(frozen=True)
class Job:
    """A command that writes, and how it is called again after it was killed."""

    tree: str
    words: str
    again: str = ""
    """Added to the words of the second call."""
    same_bytes: tuple[str, ...] = ("made",)
    """Outputs that must be those of an uninterrupted call, byte for byte."""


ANIMATE = "animate speech.wav --model model.safetensors -q"
JOBS = {
    "animate mp4": Job("face.png", f"{ANIMATE} --image face.png --landmarks pose.npz -o made/talk.mp4"),
    "animate npz": Job("pose.npz", f"{ANIMATE} --landmarks pose.npz -o made/talk.npz"),
    "animate png": Job("pose.npz", f"{ANIMATE} -o made"),
    "animate several": Job(
        "jobs.csv",
        "animate --jobs jobs.csv -o made --model model.safetensors --workers 0 -q",
        same_bytes=("made/one.npz", "made/two.npz"),
    ),
    "train": Job(
        "recipe.yaml", "train recipe.yaml --data corpus -o made -q", "--resume", same_bytes=("made/model.safetensors",)
    ),
    "prepare": Job("videos", "prepare videos -o made -q --workers 0 --min-seconds 0.5 --min-face-px 4"),
    "prepare landmarks": Job("landmarks", "prepare corpus -o made -q"),
    "synthesize": Job("landmarks", "synthesize -o made --kind faces --clips 2 -q"),
    "evaluate": Job(
        "motions",
        "evaluate motions --data corpus -o made --split train --metric lmd --baseline none -q",
        same_bytes=("made/report.json",),
    ),
    "compare": Job("report", "compare report report -o made/page.html"),
    "inspect-corpus": Job("pairs", "inspect-corpus corpus -q -o made/page.html", same_bytes=()),
    "say": Job(
        "pose.npz", "say Hello --model model.safetensors -q -o made/talk.npz -o made/talk.wav --phonemes made/p.csv"
    ),
    "detect": Job("face.png", "detect face.png -o made/face.npz"),
    "export": Job("motion.npz", "export motion.npz -o made/talk.csv"),
    "plugins new": Job("pose.npz", "plugins new calm --kind loss -o made"),
    "schema": Job("pose.npz", "schema -o made/schema.json"),
}
"""Jobs by name."""


@dataclass
class KillsCampaign:
    """Kills at every change of a file, and at any other moment.

    Args:
        trees: good inputs, as `trees.make` leaves them.
    """

    trees: Path
    name: str = "kills"
    title: str = "kills"
    _whole: dict[str, tuple[Outcome, dict[str, str]]] = field(default_factory=dict)

    def run(self, rng: Random, folder: Path) -> Result:
        """Kill one command, check what it leaves, and call it again."""
        name = rng.choice(list(JOBS))
        job = JOBS[name]
        whole, digests = self._uninterrupted(name, folder.with_name(f"{folder.name}-whole"))
        at_change = rng.random() < 0.7
        share = rng.random()
        killing = (
            Killing(at_change=1 + int(share * whole.changes)) if at_change else Killing(after_cpu_s=share * whole.cpu_s)
        )
        variant = f"{name}: killed {killing}"
        here = folder / "here"
        shutil.copytree(self.trees / job.tree, here)
        one = Call(tuple(job.words.split()), (0,), "made")
        killed = call(one, folder, killing=killing)
        findings = [*_left(here, one, variant)]
        # The lock of a process ends with it, and a call whose work was complete finds it.
        words = f"{job.words} {job.again}" if (here / "made").exists() and job.again else job.words
        again = Call(tuple(words.split()), (0,), "made", keeps_progress=True)
        found, outcome = judged(again, folder, variant)
        findings += found
        got = _digests(here, job)
        if different := sorted(path for path in digests if got.get(path) != digests[path]):
            findings.append(Finding("other result", ", ".join(different[:5]), again.arguments, variant))
        if hidden := [path for path in contents(here) if is_left_over(path)]:
            findings.append(Finding("left over", ", ".join(hidden[:5]), again.arguments, variant))
        facts = {"killed": int(killed.status < 0), "max_changes": whole.changes}
        return Result(variant, tuple(findings), facts=facts, **summary([killed, outcome]))

    def _uninterrupted(self, name: str, folder: Path) -> tuple[Outcome, dict[str, str]]:
        """Return outcome and digests of an uninterrupted call."""
        if name not in self._whole:
            job = JOBS[name]
            try:
                shutil.copytree(self.trees / job.tree, folder / "here")
                one = Call(tuple(job.words.split()))
                outcome = call(one, folder)
                assert outcome.status == 0, outcome
                self._whole[name] = outcome, _digests(folder / "here", job)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        return self._whole[name]


def _left(here: Path, one: Call, variant: str) -> list[Finding]:
    """Return what a killed call has left half-written under a final name."""
    names = [path for path in contents(here) if not any(part.startswith(".") for part in Path(path).parts)]
    made = [path for path in names if path.startswith("made")]
    return [Finding(rule, detail, one.arguments, variant) for rule, detail in check_outputs(here, made)]


def _digests(here: Path, job: Job) -> dict[str, str]:
    paths = [path for name in job.same_bytes for path in (here / name, *(here / name).rglob("*")) if path.is_file()]
    return {path.relative_to(here).as_posix(): _digest(path) for path in paths}


def _digest(path: Path) -> str:
    """Return the digest of a file; of a model that of its tensors, because its card says how long training took."""
    content = path.read_bytes()
    if path.suffix == ".safetensors":
        content = content[8 + int.from_bytes(content[:8], "little") :]
    return hashlib.sha256(content).hexdigest()
