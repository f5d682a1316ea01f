"""Train the variants of a recipe with several seeds, measure them in the same way, and write what each change does.

    python -m benchmarks.ablations PROTOCOL --data runs/grid/all -o runs/ablations-atvg --page docs/atvg.md

A protocol is a YAML file (`benchmarks.ablations.protocol.Protocol`)::

    name: atvg                                  # page: between <!-- ablations: atvg --> and <!-- end of ablations -->
    recipe: atvg/grid                           # a name or a file
    steps: {vg-net: 450, at-net: 0}             # of phases
    set: [phases.vg-net.ema_decay=0.98]         # changes for all variants
    variants:                                   # the others are compared with the first
      as it is: []
      plain differences: ["phases.vg-net.losses=[{type: pixels}]"]
    seeds: [0, 1]
    pictures: ["true"]                          # what is drawn: true, still, own, or a model
    splits: {val: 5, test: 5}                   # clips that are measured
    # picture_columns: {AU26: {metric: {type: au/unit-accuracy}, value: correlation_AU26}}  # further columns of these
    # motion: {AV-Conf: {metric: {type: av-sync}, value: level0_confidence}}    # columns of generated motion

Pictures are measured by the metrics of ``python -m benchmarks.talking_heads``. Runs and values are kept in the output
folder: a call that was stopped goes on where it was, and a protocol that was changed trains and measures only what
it changed. ``tables.md`` and ``values.json`` are written when all of it is there; nothing is written of one half.
``--train-only`` trains, so that several processes may share the runs of different protocols.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.talking_heads.measures import PICTURE_COLUMNS, Values
from benchmarks.talking_heads.pages import replace_block
from benchmarks.talking_heads.recording import Recording, choose
from headmotion.core.files import write_text
from headmotion.data.corpus import open_corpus

from .measured import REFERENCE, Measured
from .protocol import Protocol, load_protocol
from .runs import Runs
from .tables import BySeed, difference_table, value_table

DRAWN = {"true": "The recorded motion, drawn", "still": "No motion, drawn", "own": "From speech, drawn"}
MADE = "Generated motion"


class Ablation:
    """Tables of the trained models of a protocol."""

    def __init__(self, protocol: Protocol, models: dict[str, list[Path]], measured: Measured) -> None:
        self.protocol, self.models, self.measured = protocol, models, measured
        self.lines: list[str] = []
        self.values: dict[str, dict[str, BySeed]] = {}

    def add(self, split: str, recordings: list[Recording]) -> None:
        """Measure the clips of a split, and write their tables."""
        clips = f"{split}, {len(recordings)} clips of {', '.join(sorted({r.speaker for r in recordings}))}"
        for source in self.protocol.pictures:
            title = DRAWN.get(source, f"Motion of {source}, drawn")
            more = self.protocol.picture_columns
            values = self._values(recordings, lambda model, clip: self.measured.pictures(model, source, clip, more))  # noqa: B023
            still: dict[str, BySeed] = {REFERENCE: [[self.measured.still(recording, more) for recording in recordings]]}
            self._write(f"{title}: {clips}", values, [*PICTURE_COLUMNS, *more], still)
        if columns := self.protocol.motion:
            values = self._values(recordings, lambda model, clip: self.measured.motion(model, columns, clip))
            self._write(f"{MADE}: {clips}", values, list(columns), {})

    def _values(self, recordings: list[Recording], measure: Callable[[Path, Recording], Values]) -> dict[str, BySeed]:
        values: dict[str, BySeed] = {}
        for name, models in self.models.items():
            values[name] = [[measure(model, recording) for recording in recordings] for model in models]
            print("measured", name, flush=True)
        return values

    def _write(self, title: str, values: dict[str, BySeed], columns: list[str], references: dict[str, BySeed]) -> None:
        base, *others = values
        self.values[title] = values | references
        self.lines += [f"**{title}**", "", *value_table(references | values, columns)]
        seeds = ", ".join(map(str, self.protocol.seeds))
        self.lines += [f"Above *{base}*, clip by clip; behind the semicolon seeds {seeds}:", ""]
        self.lines += difference_table({name: values[name] for name in others}, values[base], columns)


def main() -> None:
    """Train and measure what the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("protocol", type=Path, help="YAML file")
    parser.add_argument("--data", type=Path, required=True, help="corpus folder")
    parser.add_argument("--measure", type=Path, help="corpus whose clips are measured, if it is another one")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of runs, values and tables")
    parser.add_argument("--page", type=Path, help="page whose block between the protocol's marks is replaced")
    parser.add_argument("--train-only", action="store_true", help="train, and measure nothing")
    arguments = parser.parse_args()
    protocol = load_protocol(arguments.protocol)
    models = Runs(protocol, arguments.data, arguments.output).models()
    if arguments.train_only:
        return
    ablation, corpus = (
        Ablation(protocol, models, Measured(arguments.output / "measured")),
        open_corpus(arguments.measure or arguments.data),
    )
    for split, count in protocol.splits.items():
        ablation.add(split, [r for r in choose(corpus, split, count) if r.name not in protocol.leave_out])
    write_text(arguments.output / "tables.md", "\n".join(ablation.lines))
    write_text(arguments.output / "values.json", json.dumps(ablation.values, indent=1))
    if arguments.page:
        replace_block(arguments.page, f"ablations: {protocol.name}", ablation.lines, end="ablations")


if __name__ == "__main__":
    main()
