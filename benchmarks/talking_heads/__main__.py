"""Measure talking heads on recorded clips and write tables, a file of values, and a sheet of pictures.

    python -m benchmarks.talking_heads runs/grid/all --method "VG-net=atvg/grid" --method "VG-net, AT-net=atvg/grid:own"

A method is ``NAME=MODEL[:MOTION]``: the renderer of a model draws the recorded motion (``true``, the default), no
motion (``still``), what its own generator makes of the speech (``own``), or what another model's generator makes. The
still picture, a warp of the recorded motion and the recording itself are always measured too. What was measured before
is kept in the output folder and not done again, so that methods can be added.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from headmotion.core.files import write_text
from headmotion.core.interfaces.renderer import Picture
from headmotion.data.corpus import open_corpus

from .measures import MOTION_COLUMNS, PICTURE_COLUMNS, Values
from .methods import Method, Recorded, StillPicture, Warp, parse_method
from .pages import replace_block
from .recording import Recording, choose
from .results import DRAWN, Results, generators
from .sheet import Row, spread, write_sheet
from .tables import differences, markdown, rows

SHEET_ROWS = 5
"""Clips of each split that the sheet shows, from the best to the worst."""


class Comparison:
    """Methods on the clips of some splits."""

    def __init__(self, methods: list[Method], results: Results) -> None:
        self.methods, self.results = methods, results
        self.lines: list[str] = []
        self.values: dict[str, object] = {"protocol": results.protocol, "splits": {}}
        self.sheet: list[Row] = []

    def add(self, split: str, recordings: list[Recording]) -> None:
        """Measure the clips of a split."""
        built = generators(self.methods)
        pictures: dict[str, list[Values]] = {method.name: [] for method in self.methods}
        motions: dict[str, list[Values]] = {name: [] for name in built}
        for recording in recordings:
            for method in self.methods:
                pictures[method.name].append(self.results.pictures(method, recording))
            for name, model in built.items():
                motions[name].append(self.results.motion(model, recording))
            print(split, recording.name, flush=True)
        speakers = ", ".join(sorted({recording.speaker for recording in recordings}))
        self.lines += [f"### {split}: {len(recordings)} clips of {speakers}", ""]
        self.lines += markdown(rows(pictures, PICTURE_COLUMNS))
        still = pictures[StillPicture.name]
        gains = {name: differences(clips, still) for name, clips in pictures.items() if clips is not still}
        self.lines += ["Above the still picture, clip by clip:", "", *markdown(rows(gains, PICTURE_COLUMNS))]
        if motions:
            self.lines += ["Landmarks from speech:", "", *markdown(rows(motions, MOTION_COLUMNS))]
        splits = self.values["splits"]
        assert isinstance(splits, dict)
        splits[split] = {"clips": [r.name for r in recordings], "pictures": pictures, "motions": motions}
        first = next((m for m in self.methods if m.name not in (StillPicture.name, Recorded.name)), self.methods[0])
        quality = [clip["lips PSNR (dB)"] for clip in pictures[first.name]]
        order = sorted(range(len(recordings)), key=lambda number: -quality[number])
        self.sheet += spread([self._sheet_row(recordings[number]) for number in order], SHEET_ROWS)

    def _sheet_row(self, recording: Recording) -> Row:
        row = {"still picture": recording.image}
        row["recorded"] = recording.frames[recording.shown_frame].permute(1, 2, 0).contiguous().numpy()
        maps: dict[str, Picture] = {}
        for method in self.methods:
            shown = self.results.shown(method, recording)
            row.setdefault(method.name, shown.pop(DRAWN))
            maps |= {f"{method.name}: {name}": picture for name, picture in shown.items()}
        return row | maps


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("corpus", type=Path, help="corpus with pictures")
    parser.add_argument("--method", action="append", default=[], metavar="NAME=MODEL[:MOTION]", help="a row")
    parser.add_argument("--clips", type=int, default=12, help="clips per split at most, spread over it")
    parser.add_argument("--splits", nargs="+", default=["val", "test"])
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="ID", help="chosen clips that are damaged")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/talking-heads"))
    parser.add_argument("--page", type=Path, help="page whose block between the marks is replaced")
    parser.add_argument("--sheet", type=Path, help="picture file; default: sheet.jpg in the output folder")
    arguments = parser.parse_args()
    methods: list[Method] = [StillPicture(), Warp(), *map(parse_method, arguments.method), Recorded()]
    comparison = Comparison(methods, Results(arguments.output))
    corpus = open_corpus(arguments.corpus)
    for split in arguments.splits:
        comparison.add(split, [r for r in choose(corpus, split, arguments.clips) if r.name not in arguments.leave_out])
    write_text(arguments.output / "tables.md", "\n".join(comparison.lines))
    write_text(arguments.output / "values.json", json.dumps(comparison.values, indent=1, default=str))
    write_sheet(arguments.sheet or arguments.output / "sheet.jpg", comparison.sheet)
    if arguments.page:
        replace_block(arguments.page, "talking heads", comparison.lines)


if __name__ == "__main__":
    main()
