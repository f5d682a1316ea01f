"""The section of docs/reliability.md about hours of streaming on end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .hours import HoursCampaign

HOURS = HoursCampaign.name
"""Name of the campaign."""
TITLE = "## Hours on end"
EXPLANATION = (
    "An hour of sound is one case: sessions at any rate, alone and in pools, that get pushes of any size. Memory is",
    "compared from a fifth of the hour to nearly its end, while all sessions are open. What they were pushed and have",
    "not used yet, up to ten seconds each, is part of it.",
)
COLUMNS = ("model", "hours", "processor minutes each", "most MiB", "growth, MiB", "off the file", "with findings")


def hours_section(portions: Sequence[dict[str, Any]], findings: Sequence[dict[str, Any]]) -> str:
    """Return the section, with a line per model; empty if nothing was streamed."""
    own = [line for line in portions if line["campaign"] == HOURS]
    found = [line for line in findings if line["campaign"] == HOURS]
    return "\n".join([*_lines(own, found), "", ""]) if own else ""


def _lines(portions: Sequence[dict[str, Any]], findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    commits, seeds = (", ".join(sorted({str(line[name]) for line in portions})) for name in ("commit", "seed"))
    facts = merged_facts(portions)
    yield from (TITLE, "")
    yield f"Made by `make stress HOURS={len(portions)} SEED={seeds}` at commit {commits}."
    yield from EXPLANATION
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for model in sorted({name for line in portions for name in line["variants"]}):
        yield _row(model, [line for line in portions if model in line["variants"]])
    compared, restored = facts.get("compared_frames", 0), facts.get("restored", 0)
    yield ""
    yield (
        f"{facts.get('frames', 0):.0f} frames, of which {compared:.0f} were compared with those of the file; "
        f"{restored:.0f} times a session was saved and went on from its snapshot. Hours by kind:"
    )
    yield ""
    for kind in ("rate", "pushes", "sound"):
        of_kind = {name.partition(" ")[2]: value for name, value in facts.items() if name.startswith(f"{kind} ")}
        order = sorted(of_kind, key=lambda name: (name.isdigit() and int(name), name))
        yield f"- {kind}: {', '.join(f'{name} {of_kind[name] / 3600:.2f}' for name in order)}"
    yield ""
    rules = sorted({f"{line['rule']} (`{HOURS}:{line['seed']}:{line['number']}`)" for line in findings})
    yield f"Found: {', '.join(rules) or 'nothing'}."


def _row(model: str, portions: Sequence[dict[str, Any]]) -> str:
    facts = merged_facts(portions)
    minutes = sum(line["cpu_s"] for line in portions) / 60 / len(portions)
    peak, growth = max(line["peak_bytes"] for line in portions), max(0, facts.get("max_growth_bytes", 0))
    cells = [model, len(portions), f"{minutes:.1f}", peak >> 20, f"{growth / 2**20:.0f}"]
    cells += [f"{facts.get('max_difference', 0):.1e}", sum(line["findings"] > 0 for line in portions)]
    return f"| {' | '.join(map(str, cells))} |"


def merged_facts(portions: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return sums and, of names that begin so, maxima of what portions say by name."""
    facts: dict[str, float] = {}
    for line in portions:
        for name, value in line["facts"].items():
            facts[name] = max(facts.get(name, value), value) if name.startswith("max") else facts.get(name, 0) + value
    return facts
