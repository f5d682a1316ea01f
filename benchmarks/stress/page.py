"""Write docs/reliability.md from the campaign's lines.

    python -m benchmarks.stress.page [FILE ...]
    python -m benchmarks.stress.page --hours [FILE ...]      # only the section about hours on end

Every number on the page is a sum or a maximum over the lines of the files, by default runs/stress/campaign.jsonl. Hours
on end have a section of their own; where the files have none, the page retains it.
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
from .hours_page import HOURS, TITLE, hours_section, merged_facts
from .journal import Journal
from .streams import GROWTH_BYTES, TOLERANCE

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

PROMISE = Path(__file__).with_name("promise.md")
"""What is promised, with the campaign's bounds to be filled in."""
COMPARISON = Path(__file__).with_name("comparison.md")
"""What other projects promise and test; the only text with facts that no run gives, each with its source."""


def page(lines: Iterable[dict[str, Any]]) -> str:
    """Return the page, without hours on end."""
    portions, findings = _divided(line for line in lines if line["campaign"] != HOURS)
    sections = [*_table(portions, findings), "", *_kinds(portions, findings), ""]
    return "\n".join([_promise(), *sections, COMPARISON.read_text("utf-8")])


def with_hours(text: str, section: str) -> str:
    """Return a page with a section about hours on end, in place of the one that it has; an empty one removes it."""
    before, heading, remainder = text.replace(retained_hours(text), "").partition("## Compared")
    return before + section + heading + remainder


def retained_hours(text: str) -> str:
    """Return the section about hours on end of a page; empty if it has none."""
    _, heading, remainder = text.partition(f"{TITLE}\n")
    return heading + remainder.partition("\n## ")[0] + "\n" if heading else ""


def _divided(lines: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return portions and findings."""
    known = list(lines)
    return [line for line in known if line["kind"] == "portion"], [line for line in known if line["kind"] == "finding"]


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
    facts = merged_facts(portions)
    yield ""
    yield f"Commits {', '.join(sorted({line['commit'] for line in portions}))}; seeds {_seeds(portions)}."
    if streamed := facts.get("streamed_s"):
        grown = max(0, facts.get("max_growth_bytes", 0)) / 2**20
        yield (
            f"Streamed: {streamed / 3600:.2f} hours of sound, of which {facts.get('long_s', 0) / 3600:.2f} in streams "
            f"of ten minutes; largest growth {grown:.1f} MiB, largest difference from the file "
            f"{facts.get('max_difference', 0):.1e}."
        )
    if killed := facts.get("killed"):
        yield f"Killed: {killed:.0f} processes."
    answers = {name: count for name, count in facts.items() if name.startswith(("answered ", "closed "))}
    if answers:
        yield f"Requests of clients: {', '.join(f'{name} {answers[name]:.0f} times' for name in sorted(answers))}."
    if portions:
        quiet = _quiet(portions)
        cases, seconds = sum(line["cases"] for line in quiet), sum(line["seconds"] for line in quiet)
        yield f"Since the last finding: {cases} cases in {seconds / 3600:.2f} hours."


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
    parser.add_argument("--hours", action="store_true", help="write the section about hours on end, and nothing else")
    options = parser.parse_args(arguments)
    lines = [line for path in options.files for kind in ("portion", "finding") for line in Journal(path).lines(kind)]
    earlier = options.page.read_text("utf-8") if options.page.exists() else ""
    section = hours_section(*_divided(lines)) or retained_hours(earlier)
    options.page.write_text(with_hours(earlier if options.hours else page(lines), section), "utf-8")
    print(json.dumps({"page": str(options.page), "lines": len(lines)}))


if __name__ == "__main__":
    main()
