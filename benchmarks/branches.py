"""Write docs/branches.md: figure 5 of the paper once more, on Whisper's features.

    python -m benchmarks.branches SHARED_DATA CORPUS WHISPER_SYNCERS

The variants, their steps and their seeds are those of `benchmarks/branches.yaml`: a generator with a branch at each of
four scales, one with a single branch whose LSTM reads the audio as well (as in the authors' code), and one with a
single branch whose LSTM reads poses alone. All are guided by one pyramid of syncers at four scales, and get the same
batches. Of the terms of the loss only that of the syncers depends on which motion belongs to which speech.

Each clip is generated from its speech and its first frame. The mouth is measured as in ``benchmarks/mouth.py``. AV-Conf
is the metric `av-sync`, by two pyramids that guided none of these generators: `metric-syncers`, on log-mel, and
WHISPER_SYNCERS, the `syncers.safetensors` of the recipe `small-whisper`. ``tools/bundled_corpus.py`` makes `CORPUS`.
Tables have means over clips and seeds with 95 % intervals (bootstrap over clips). A difference is that of the same
clip and the same seed. It is bold, and counts as found, if its interval excludes zero and each seed agrees in its sign.
Runs and values are kept: a call that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

import headmotion as hm
from benchmarks import mouth
from benchmarks.ablations.protocol import load_variants
from benchmarks.ablations.runs import Runs
from benchmarks.ablations.tables import difference_table, value_table
from benchmarks.talking_heads.measures import Values
from headmotion.core.interfaces.metric import MetricInput
from headmotion.data.clip import Clip
from headmotion.metrics.av_sync import AVSync
from headmotion.metrics.specs import AVSyncSpec

HERE = Path(__file__).parent
PROTOCOL, PAGE = HERE / "branches.yaml", HERE.parent / "docs" / "branches.md"
SETS = ("GRID speaker 1, unseen sentences", "unseen speakers", "unseen speakers of Arabic")
RATE, FPS, LEVELS = 16_000, Fraction(25), 4
MOUTH = ("opening", "width", "amplitude")
RECORDED = "recordings"


READING = """\
## How to read it

- Figure 5 of the paper has a generator with four branches ahead at the coarser scales. Here that is weak at most. At
  levels 1 to 3 there are 32 differences: six are certain and in favor of four branches, one is certain and against
  them, and it is the largest. None is certain by both judges.
- At level 0, four branches are ahead of a single one whose LSTM reads no audio, on unseen speakers and in Arabic, by
  both judges. If its LSTM reads audio, as in the authors' code, a single branch is about as good.
- On the speaker of GRID, the mouth of a single branch opens with the speech better, with every seed.
- Seeds differ by more than variants do, amplitudes by up to 1.2. Three seeds show large effects only.
- All variants follow the mouth far worse than [models whose loss also compares with the recorded
  motion](encoders.md): here nothing but the sync loss relates motion to speech. On unseen speakers their AV-Conf is
  above that of recordings nevertheless, at level 0 by both judges, so it is no measure of quality by itself.
"""


class Measurement:
    """Values of each clip of a motion: of the mouth, and AV-Conf by each judge."""

    def __init__(self, judges: Mapping[str, AVSyncSpec], cache: Path) -> None:
        representation = hm.load("ms-sync", device="cpu").representation
        self.representation, self.cache = representation, cache
        self.judges: dict[str, AVSync] = {
            name: spec.build(hm.BuildContext(representation, 0)) for name, spec in judges.items()
        }

    def columns(self, judge: str) -> list[str]:
        """Return the columns of a judge."""
        return [f"{judge}, level {level}" for level in range(LEVELS)]

    def model(self, path: Path, title: str, clips: list[Clip]) -> list[Values]:
        """Return the values of what a model makes of the speech, from the cache if they are there."""
        kept = self.cache / f"{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}-{title.replace(' ', '-')}.json"
        if not kept.exists():
            pipe = hm.load(path, device="cpu")
            made = [pipe.generate((clip.audio, RATE), clip.landmarks[:1]).values for clip in clips]
            self.cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(self.values(made, clips), indent=1), "utf-8")
        stored: list[Values] = json.loads(kept.read_text("utf-8"))
        return stored

    def values(self, motions: list[torch.Tensor], clips: list[Clip]) -> list[Values]:
        """Return the values of each clip for poses ``[T, P, D]``."""
        poses = [motion[: len(clip.landmarks)] for motion, clip in zip(motions, clips, strict=True)]
        values = [mouth.clip_values(self.representation, *pair) for pair in zip(poses, clips, strict=True)]
        spec = {"type": "landmarks68", "dims": 2}
        inputs = [
            MetricInput(clip.id, hm.Motion(made[..., :2], FPS, spec), audio=_speech(clip, len(made)))
            for made, clip in zip(poses, clips, strict=True)
        ]
        for name, judge in self.judges.items():
            for clip_values, observed in zip(values, judge.observe_batch(inputs), strict=True):
                found = judge.per_clip(observed)
                keys = [f"level{level}_confidence" for level in range(LEVELS)]
                pairs = zip(self.columns(name), keys, strict=True)
                clip_values |= {column: found[key] for column, key in pairs if key in found}
        return values


def _speech(clip: Clip, frames: int) -> hm.Audio:
    return hm.Audio(np.resize(clip.audio, int(frames * RATE / FPS)), RATE)


def main(shared: Path, corpus: Path, syncers: Path, folder: Path) -> None:
    """Train what is not there, measure all, and write the page."""
    protocol = load_variants(PROTOCOL)
    models = Runs(protocol, corpus, folder).models()
    judges = {"metric-syncers": AVSyncSpec(), "syncers on whisper": AVSyncSpec(syncers=str(syncers))}
    measurement = Measurement(judges, folder / "measured")
    lines = ["# Branches at four scales", ""]
    lines += ["Made by `python -m benchmarks.branches SHARED_DATA CORPUS WHISPER_SYNCERS`.", ""]
    steps = ", ".join(f"{count} steps of the {phase}" for phase, count in protocol.steps.items())
    lines += [f"{steps[0].upper()}{steps[1:]}; seeds {', '.join(map(str, protocol.seeds))}.", ""]
    for title in SETS:
        clips = list(mouth.unseen(shared)[title])
        values = {name: [measurement.model(path, title, clips) for path in paths] for name, paths in models.items()}
        recorded = measurement.values([torch.from_numpy(clip.landmarks) for clip in clips], clips)
        base, *others = values
        lines += [f"## {title[0].upper()}{title[1:]}", "", f"{len(clips)} clips.", ""]
        lines += value_table(values, MOUTH)
        lines += [f"Above *{base}*; behind the semicolon each seed:", ""]
        lines += difference_table({name: values[name] for name in others}, values[base], MOUTH)
        for judge in judges:
            columns = measurement.columns(judge)
            lines += [f"AV-Conf by {judge}:", "", *value_table({RECORDED: [recorded]} | values, columns)]
            lines += difference_table({name: values[name] for name in others}, values[base], columns)
    lines += [READING, "## How it is measured", "", (__doc__ or "").split("\n\n", 2)[2].strip()]
    PAGE.write_text("\n".join([*lines, ""]), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("syncers", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/branches"), help="folder of runs and of values")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    main(arguments.shared, arguments.corpus, arguments.syncers, arguments.runs)
