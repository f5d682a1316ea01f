"""Write docs/reliability.md from the campaign's lines.

    python -m benchmarks.stress.page [FILE ...]

Every number on the page is a sum or a maximum over the lines of the files, by default runs/stress/campaign.jsonl.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any

from .__main__ import WORK
from .campaigns import campaigns
from .forked import CPU_S, MEMORY_BYTES
from .journal import Journal
from .streams import GROWTH_BYTES, TOLERANCE

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

PROMISE = Path(__file__).with_name("promise.md")
"""What is promised, with the campaign's bounds to be filled in."""
COMPARISON = Path(__file__).with_name("comparison.md")
"""What other projects promise and test; the only text with facts that no run gives, each with its source."""


def page(lines: Iterable[dict[str, Any]]) -> str:
    """Return the page."""
    known = list(lines)
    portions = [line for line in known if line["kind"] == "portion"]
    findings = [line for line in known if line["kind"] == "finding"]
    sections = [*_table(portions, findings), "", *_kinds(portions, findings), ""]
    return "\n".join([_promise(), *sections, COMPARISON.read_text("utf-8")])


def _promise() -> str:
    bounds = {
        "cpu_s": CPU_S,
        "memory_mib": MEMORY_BYTES >> 20,
        "tolerance": f"{TOLERANCE:g}",
        "growth_mib": GROWTH_BYTES >> 20,
    }
    return Template(PROMISE.read_text("utf-8")).substitute(bounds)


def _table(portions: Sequence[dict[str, Any]], findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    hours = sum(line["seconds"] for line in portions) / 3600
    yield from ("## Campaigns", "", f"{hours:.1f} hours in all. A longer run says more.", "")
    yield "| campaign | cases | calls | refused in one line | with findings | hours | most MiB | longest call (CPU s) |"
    yield "|---|---|---|---|---|---|---|---|"
    for campaign in campaigns(WORK):
        own = [line for line in portions if line["campaign"] == campaign.name]
        cases = {(line["seed"], line["number"]) for line in findings if line["campaign"] == campaign.name}
        if own:
            sums = [sum(line[name] for line in own) for name in ("cases", "calls", "refused")]
            own_hours = sum(line["seconds"] for line in own) / 3600
            peak, cpu = max(line["peak_bytes"] for line in own) >> 20, max(line["cpu_s"] for line in own)
            cells = [campaign.title, *sums, len(cases), f"{own_hours:.2f}", peak, f"{cpu:.1f}"]
            yield "| " + " | ".join(map(str, cells)) + " |"
    facts = _facts(portions)
    yield ""
    yield f"Commits {', '.join(sorted({line['commit'] for line in portions}))}; seeds {_seeds(portions)}."
    if streamed := facts.get("streamed_s"):
        grown = max(0, facts.get("max_growth_bytes", 0)) / 2**20
        yield (
            f"Streamed: {streamed / 3600:.2f} hours of sound, of which {facts.get('long_s', 0) / 3600:.2f} in streams "
            f"of ten minutes; largest growth {grown:.1f} MiB, largest difference from the file "
            f"{facts.get('max_difference', 0):.1e}."
        )
    yield from _hours(facts)
    if killed := facts.get("killed"):
        yield f"Killed: {killed:.0f} processes."
    answers = {name: count for name, count in facts.items() if name.startswith(("answered ", "closed "))}
    if answers:
        yield f"Requests of clients: {', '.join(f'{name} {answers[name]:.0f} times' for name in sorted(answers))}."
    if portions:
        quiet = _quiet(portions)
        cases, seconds = sum(line["cases"] for line in quiet), sum(line["seconds"] for line in quiet)
        yield f"Since the last finding: {cases} cases in {seconds / 3600:.2f} hours."


def _hours(facts: dict[str, float]) -> Iterator[str]:
    """Yield what was streamed in hours on end, if anything was."""
    if not facts.get("hours_s"):
        return
    hours, frames, compared = facts["hours_s"] / 3600, facts["frames"], facts["compared_frames"]
    yield ""
    yield (
        f"On end: {hours:.1f} hours of sound in live sessions, alone and in pools; {frames:.0f} frames, of which "
        f"{compared:.0f} were compared with those of the file; {facts.get('restored', 0):.0f} times one was saved "
        "and went on from its snapshot. Hours of it by kind:"
    )
    yield ""
    for kind in ("rate", "pushes", "sound"):
        of_kind = {name.partition(" ")[2]: value for name, value in facts.items() if name.startswith(f"{kind} ")}
        order = sorted(of_kind, key=lambda name: (name.isdigit() and int(name), name))
        yield f"- {kind}: {', '.join(f'{name} {of_kind[name] / 3600:.2f}' for name in order)}"
    yield ""


def _kinds(portions: Sequence[dict[str, Any]], findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what was varied, and what was found."""
    yield from ("## What was varied", "", "| campaign | cases by kind |", "|---|---|")
    for campaign in campaigns(WORK):
        counts: Counter[str] = Counter()
        for line in portions:
            if line["campaign"] == campaign.name:
                counts.update(line["variants"])
        if counts:
            yield f"| {campaign.title} | {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))} |"
    yield from ("", "## What was found", "")
    if not findings:
        yield "Nothing."
        return
    yield "Counted once per case; a finding is made again by `--replay CAMPAIGN:SEED:NUMBER` on its commit."
    yield from ("", "| rule | cases | first case | commit | first of them |", "|---|---|---|---|---|")
    rules: dict[str, list[dict[str, Any]]] = {}
    for line in findings:
        rules.setdefault(f"{line['campaign']}: {line['rule']}", []).append(line)
    for rule, lines in sorted(rules.items()):
        first = lines[0]
        case = f"{first['campaign']}:{first['seed']}:{first['number']}"
        cases = len({(line["seed"], line["number"]) for line in lines})
        text = first["detail"].replace("|", "/").replace("`", "'").replace("<", "&lt;")[-160:]
        yield f"| {rule} | {cases} | `{case}` | {first['commit']} | `{text}` |"


def _facts(portions: Iterable[dict[str, Any]]) -> dict[str, float]:
    facts: dict[str, float] = {}
    for line in portions:
        for name, value in line["facts"].items():
            facts[name] = max(facts.get(name, value), value) if name.startswith("max") else facts.get(name, 0) + value
    return facts


def _quiet(portions: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return the portions after the last one with a finding, in the order of the lines."""
    last = max((number for number, line in enumerate(portions) if line["findings"]), default=-1)
    return portions[last + 1 :]


def _seeds(portions: Iterable[dict[str, Any]]) -> str:
    return ", ".join(map(str, sorted({line["seed"] for line in portions})))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[WORK / "campaign.jsonl"])
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    lines = [line for path in given.files for kind in ("portion", "finding") for line in Journal(path).lines(kind)]
    given.page.write_text(page(lines), "utf-8")
    print(json.dumps({"page": str(given.page), "lines": len(lines)}))


if __name__ == "__main__":
    main()
