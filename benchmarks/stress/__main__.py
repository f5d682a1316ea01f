"""Try to break headmotion, for as long as asked.

    python -m benchmarks.stress --seconds 600 [--seed N] [CAMPAIGN ...]
    python -m benchmarks.stress hours --cases 10
    python -m benchmarks.stress --replay FILE|CAMPAIGN:SEED:NUMBER

Cases are determined by seed and number. What is found is appended to a file of JSON lines, from which a later call goes
on, ``--replay`` makes findings again, and ``python -m benchmarks.stress.page`` writes docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch

from . import trees
from .campaigns import campaigns as all_campaigns
from .case import Campaign, Finding, Result
from .journal import Journal

WORK = Path(__file__).parents[2] / "runs" / "stress"
"""Where good inputs and results are kept."""
ONLY_IF_NAMED = {"hours"}
"""Campaigns of which a case takes minutes."""
PORTION_S = 30.0
"""Time after which another campaign has its turn (s)."""


def run_case(campaign: Campaign, seed: int, number: int, keep: Path | None = None) -> Result:
    """Run one case in a new folder, which is removed afterwards unless ``keep`` names it."""
    folder = keep or Path(tempfile.mkdtemp(prefix="stress-"))
    try:
        return campaign.run(Random(f"{campaign.name} {seed}.{number}"), folder)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def run_portion(campaign: Campaign, seed: int, journal: Journal, seconds: float) -> list[Finding]:
    """Run cases for some seconds, at least one, and write them down."""
    first, started = journal.next_number(campaign.name, seed), time.monotonic()
    results: list[Result] = []
    while not results or time.monotonic() - started < seconds:
        number = first + len(results)
        results.append(run_case(campaign, seed, number))
        for finding in results[-1].findings:
            journal.add_finding(campaign.name, seed, number, finding)
            print(f"{campaign.name}:{seed}:{number} {finding.rule}: {finding.detail} ({finding.variant})", flush=True)
    journal.add_portion(campaign.name, seed, first, results, time.monotonic() - started)
    return [finding for result in results for finding in result.findings]


def run_in_turns(campaigns: Sequence[Campaign], seed: int, journal: Journal, seconds: float) -> int:
    """Run portions of campaigns in turns for some seconds, at least one of each, and return the number of findings."""
    end, findings = time.monotonic() + seconds, 0
    while True:
        for campaign in campaigns:
            left = end - time.monotonic()
            findings += len(run_portion(campaign, seed, journal, min(PORTION_S, max(0.0, left))))
        if time.monotonic() >= end:
            return findings


def run_until(campaigns: Sequence[Campaign], seed: int, journal: Journal, cases: int) -> int:
    """Run the cases that each campaign lacks of its first ``cases``, and return the number of findings."""
    findings = 0
    for campaign in campaigns:
        while journal.next_number(campaign.name, seed) < cases:
            findings += len(run_portion(campaign, seed, journal, 0.0))
    return findings


def replay(what: str, known: dict[str, Campaign]) -> int:
    """Run again the findings of a file, or one case by its name, and return how many cases still find something."""
    if Path(what).is_file():
        lines = Journal(Path(what)).lines("finding")
        names = sorted({(line["campaign"], line["seed"], line["number"]) for line in lines})
    else:
        campaign, seed, number = what.split(":")
        names = [(campaign, int(seed), int(number))]
    failed = 0
    for campaign, seed, number in names:
        result = run_case(known[campaign], seed, number)
        failed += bool(result.findings)
        for finding in result.findings:
            print(f"{campaign}:{seed}:{number} {json.dumps(finding.__dict__)}", flush=True)
    print(f"{len(names)} cases again, {failed} with findings")
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit status 1 if something was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="CAMPAIGN", help="campaigns; by default all but hours")
    parser.add_argument("--seconds", type=float, default=60, help="how long, at least one portion of each campaign")
    parser.add_argument("--cases", type=int, metavar="N", help="instead: until each campaign has N cases of the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=WORK, help="folder of good inputs and results")
    parser.add_argument("--replay", metavar="FILE|CASE", help="run cases again, and write nothing down")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    inputs = options.work / "inputs"
    known = {campaign.name: campaign for campaign in all_campaigns(inputs)}
    if unknown := set(options.names) - known.keys():
        parser.error(f"no such campaign: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    trees.make(inputs)
    if options.replay:
        return int(replay(options.replay, known) > 0)
    journal = Journal(options.work / "campaign.jsonl")
    chosen = [known[name] for name in options.names or known if name in options.names or name not in ONLY_IF_NAMED]
    if options.cases is None:
        found = run_in_turns(chosen, options.seed, journal, options.seconds)
    else:
        found = run_until(chosen, options.seed, journal, options.cases)
    print(f"{found} findings; results are in {journal.path}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
