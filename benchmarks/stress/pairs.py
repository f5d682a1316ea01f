"""Campaign of pairs: two of the same call at the same time, on the same output."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from .case import Call, Finding, Result, summary
from .forked import start
from .kills import JOBS, KillsCampaign, _digests
from .rules import check, check_outputs, contents


@dataclass(frozen=True)
class PairsCampaign:
    """Two at once: each succeeds or ends with one line, one of them succeeds, and the result is whole.

    Args:
        kills: the campaign that knows the results of uninterrupted calls.
    """

    kills: KillsCampaign
    name: str = "pairs"
    title: str = "two at once"

    def run(self, rng: Random, folder: Path) -> Result:
        """Run one command twice at once."""
        name = rng.choice(list(JOBS))
        job = JOBS[name]
        _, digests = self.kills._uninterrupted(name, folder.with_name(f"{folder.name}-whole"))
        here = folder / "here"
        shutil.copytree(self.kills.trees / job.tree, here)
        one = Call(tuple(job.words.split()), (0, 2), "made", keeps_progress=True)
        before = contents(folder)
        running = [start(one, folder, tag=tag) for tag in "ab"]
        outcomes = [each.wait() for each in running]
        after = contents(folder)
        findings = [found for each in outcomes for found in check(one, each, before, after, name)]
        made = [path for path in after if path not in before and path.startswith("here/made")]
        findings += [Finding(rule, detail, one.arguments, name) for rule, detail in check_outputs(folder, made)]
        if all(each.status for each in outcomes):
            texts = " | ".join(each.err.strip() for each in outcomes)
            findings.append(Finding("neither succeeded", texts[-500:], one.arguments, name))
        elif different := [path for path, digest in digests.items() if _digests(here, job).get(path) != digest]:
            findings.append(Finding("other result", ", ".join(different[:5]), one.arguments, name))
        unique = tuple(dict.fromkeys(replace(found, detail=found.detail) for found in findings))
        return Result(name, unique, **summary(outcomes))
