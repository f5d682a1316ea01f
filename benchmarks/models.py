"""Write docs/models.md: the card of every bundled model, and how well its mouth follows unseen speech.

python benchmarks/models.py SHARED_DATA
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mouth  # pyright: ignore[reportMissingImports]

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.plugins import registry
from headmotion.data.corpus import open_corpus

PAGE = Path(__file__).parent.parent / "docs" / "models.md"


def card(name: str, path: Path) -> list[str]:
    """What the file itself says."""
    header = read_header(path)
    facts = dict(header.card)
    recipe = facts.pop("recipe", {})
    trained = " ".join(f"`{source}`," for source in facts.get("sources", [])).rstrip(",")
    return [
        f"## `{name}`",
        "",
        f"- {path.stat().st_size / 1e6:.1f} MB, {header.parameters:,} numbers, sha256 `{header.sha256[:16]}...`",
        f"- trained on {facts['clips']} clips of {facts['speakers']} speakers, {facts['hours']:.2f} hours: {trained}",
        f"- recipe `{recipe.get('name', '')}`: {recipe['syncers']['steps']} steps of the syncers, "
        f"{recipe['generator']['steps']} of the generator, {facts['training_seconds'] / 60:.0f} minutes on a CPU",
        f"- by commit `{facts['commit'][:12]}`",
        "",
    ]


def table(name: str, shared: Path) -> list[str]:
    """Figures of the mouth on unseen clips."""
    pipe = hm.load(name, device="cpu")
    sets = {
        "GRID speaker 1, unseen sentences": open_corpus(shared / "grid_s1").select(split="val"),
        "unseen speakers, near frontal": mouth.near_frontal(shared),
    }
    lines = ["| clips | n | model | audio loudness | another clip's audio | amplitude |", "|---|---|---|---|---|---|"]
    for title, corpus in sets.items():
        found = mouth.figures(pipe, corpus)
        cells = (
            f"{found[key]['mean']:.2f} ({found[key]['low']:.2f} to {found[key]['high']:.2f})"  # type: ignore[index]
            for key in ("model", "loudness", "shuffled", "amplitude")
        )
        lines.append(f"| {title} | {found['clips']} | {' | '.join(cells)} |")
    return lines


def main(shared: Path) -> None:
    """All bundled models."""
    protocol = (mouth.__doc__ or "").split("\n\n", 2)[2].strip()
    lines = ["# Models", "", "Made by `python benchmarks/models.py SHARED_DATA`.", ""]
    for name, path in sorted(registry().models.items()):
        lines += [*card(name, path), *table(name, shared), ""]
    PAGE.write_text("\n".join([*lines, "## Protocol", "", protocol, ""]), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    main(parser.parse_args().shared)
