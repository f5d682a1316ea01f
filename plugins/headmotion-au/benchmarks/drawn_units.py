"""Measure action units in drawn pictures with a detector of blend shapes, for any talking heads.

    PYTHONPATH=. python plugins/headmotion-au/benchmarks/drawn_units.py runs/grid/all --method "AU, own=au/grid:own"

Corpus, clips and methods are those of ``python -m benchmarks.talking_heads``. It writes ``docs/au.md`` between its
marks.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import headmotion as hm
from benchmarks.talking_heads.methods import Method, Recorded, StillPicture, parse_method
from benchmarks.talking_heads.recording import Recording, choose
from headmotion.data.corpus import open_corpus

PAGE = Path(__file__).parents[3] / "docs" / "au.md"
BEGIN, END = "<!-- drawn units -->\n", "<!-- end of drawn units -->\n"
COLUMNS = ("correlation_AU25", "correlation_AU26", "correlation_all", "f1_AU25", "f1_AU26", "difference", "faces_found")
"""Values that are shown."""


def observe(metric: hm.Metric, method: Method, recording: Recording) -> hm.Observation:
    """Return what the metric keeps of a method's pictures of a clip, without the first, which is given."""
    drawn = torch.from_numpy(method.draw(recording)[1:]).permute(0, 3, 1, 2)
    pair = hm.PicturePair(drawn, recording.frames[1:], recording.poses[1:])
    return metric.observe(hm.MetricInput(recording.name, recording.motion[1:], pictures=pair))


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("corpus", type=Path, help="corpus with pictures")
    parser.add_argument("--method", action="append", default=[], metavar="NAME=MODEL[:MOTION]", help="a row")
    parser.add_argument("--clips", type=int, default=6, help="clips per split at most, spread over it")
    parser.add_argument("--splits", nargs="+", default=["val", "test"])
    parser.add_argument("--every", type=int, default=2, help="every how many frames a picture is measured")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/drawn-units.json"))
    arguments = parser.parse_args()
    face = hm.resolve_spec("representation", "landmarks68").build()
    metric = hm.resolve_spec("metric", {"type": "au/unit-accuracy", "every": arguments.every}).build(
        hm.BuildContext(face, 0)
    )
    methods: list[Method] = [StillPicture(), *map(parse_method, arguments.method), Recorded()]
    lines, values = [], {}
    for split in arguments.splits:
        recordings = choose(open_corpus(arguments.corpus), split, arguments.clips)
        lines += [f"### {split}: {len(recordings)} clips", "", "| | " + " | ".join(COLUMNS) + " |"]
        lines.append("|---" * (len(COLUMNS) + 1) + "|")
        for method in methods:
            scores = metric.figures([observe(metric, method, recording) for recording in recordings]).values
            values[f"{split}: {method.name}"] = dict(scores)
            cells = [f"{scores[column]:.2f}" if column in scores else "-" for column in COLUMNS]
            lines.append(f"| {method.name} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
        lines.append("")
    arguments.output.write_text(json.dumps(values, indent=1), "utf-8")
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + END + rest.split(END)[1], "utf-8")


if __name__ == "__main__":
    main()
