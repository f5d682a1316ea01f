"""The campaign's memory: JSON lines, one per finding and one per portion of cases, appended as they come."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import headmotion

from .case import Finding, Result


@dataclass(frozen=True)
class Portion:
    """Some consecutive cases of a campaign."""

    campaign: str
    seed: int
    first: int
    """Number of the first case."""
    cases: int
    calls: int
    refused: int
    findings: int
    seconds: float
    peak_bytes: int
    cpu_s: float
    facts: dict[str, Any]
    variants: dict[str, int]
    """Cases by what was varied."""
    commit: str
    """Commit of the checkout, with ``+`` where files differ from it."""
    version: str
    python: str


class Journal:
    """A file of JSON lines.

    Args:
        path: the file; it is made when the first line is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Append a line, and force it onto the disk, because the next case may bring the machine down."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"kind": kind, **content}, sort_keys=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def add_finding(self, campaign: str, seed: int, number: int, finding: Finding) -> None:
        """Append a finding with what is needed to make it again."""
        location = {"campaign": campaign, "seed": seed, "number": number, "commit": commit()}
        self.add("finding", location | asdict(finding))

    def add_portion(self, campaign: str, seed: int, first: int, results: list[Result], seconds: float) -> None:
        """Append the summary of some cases."""
        variants: dict[str, int] = {}
        facts: dict[str, Any] = {}
        for result in results:
            name = result.variant.partition(":")[0]
            variants[name] = variants.get(name, 0) + 1
            for key, value in result.facts.items():
                facts[key] = max(facts.get(key, value), value) if key.startswith("max") else facts.get(key, 0) + value
        self.add(
            "portion",
            asdict(
                Portion(
                    campaign=campaign,
                    seed=seed,
                    first=first,
                    cases=len(results),
                    calls=sum(result.calls for result in results),
                    refused=sum(result.refused for result in results),
                    findings=sum(len(result.findings) for result in results),
                    seconds=round(seconds, 1),
                    peak_bytes=max((result.peak_bytes for result in results), default=0),
                    cpu_s=round(max((result.cpu_s for result in results), default=0.0), 2),
                    facts=facts,
                    variants=dict(sorted(variants.items())),
                    commit=commit(),
                    version=headmotion.__version__,
                    python=platform.python_version(),
                )
            ),
        )

    def lines(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of one kind."""
        if self.path.exists():
            for text in self.path.read_text("utf-8").splitlines():
                line = json.loads(text)
                if line["kind"] == kind:
                    yield line

    def next_number(self, campaign: str, seed: int) -> int:
        """Return the number of the first case that no portion has."""
        ends = (
            line["first"] + line["cases"]
            for line in self.lines("portion")
            if (line["campaign"], line["seed"]) == (campaign, seed)
        )
        return max(ends, default=0)


def commit() -> str:
    """Return the short commit of the checkout, with ``+`` where files of the package differ from it."""

    def git(*words: str) -> str:
        folder = Path(__file__).parents[2]
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "headmotion")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
