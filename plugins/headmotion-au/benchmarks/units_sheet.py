"""Draw how the pictures of a model follow units: a sheet of recorded and drawn frames.

    PYTHONPATH=. python plugins/headmotion-au/benchmarks/units_sheet.py runs/units au/grid -o docs/images/au-sheet.jpg

``runs/units`` is a corpus of action units (``python -m headmotion_au --hold-head``). Each row is the frame of a clip
with the largest AU25. It also prints how much of the squared change of mouth and chin the drawn pictures explain: 0 is
the still picture, 1 the recording.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

import headmotion as hm
from benchmarks.talking_heads.sheet import write_sheet
from headmotion.data.clip import SAMPLE_RATE, Clip
from headmotion.data.corpus import open_corpus

RAISED = {"AU25": 0.3, "AU26": 0.3}
MOUTH = slice(74, 122), slice(35, 93)
"""Box of mouth and chin in pictures of 128 x 128."""


def motions(pipe: hm.Pipeline, clip: Clip) -> dict[str, Tensor]:
    """Return units ``[T, N, 1]`` by the name of a column."""
    recorded = torch.from_numpy(clip.landmarks.copy())
    raise_by = torch.tensor([RAISED.get(name, 0.0) for name in pipe.representation.point_names])[:, None]
    from_speech = pipe.generate((clip.audio, SAMPLE_RATE)).values
    return {
        "recorded units": recorded,
        "no units": torch.zeros_like(recorded),
        "AU25, AU26 + 0.3": (recorded + raise_by).clamp(max=1),
        "from speech": from_speech,
    }


def draw(pipe: hm.Pipeline, clip: Clip, units: Tensor) -> np.ndarray:
    """Return pictures ``uint8 [T, H, W, 3]`` of units, from the clip's first picture on."""
    motion = hm.Motion(units, clip.fps, pipe.representation.spec.model_dump(), hm.UnitSquare(0.5, 0.5, 1))
    still = np.ascontiguousarray(clip.frames.read(0, 1)[0].transpose(1, 2, 0))
    frames = pipe.iter_frames([motion], still, clip.landmarks[0], audio=(clip.audio, SAMPLE_RATE))
    return np.stack(list(frames))


def explained(drawn: np.ndarray, recorded: np.ndarray) -> float:
    """Return the share of the squared change of mouth and chin that pictures ``[T, H, W, 3]`` explain."""
    real, generated = (pictures[:, *MOUTH].astype(float) / 255 for pictures in (recorded, drawn))
    return float(1 - np.square(generated - real).sum() / np.square(real - real[:1]).sum())


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("corpus", type=Path, help="corpus of action units with pictures")
    parser.add_argument("model", help="model with au/generator")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the sheet")
    parser.add_argument("--clips", type=int, default=3, help="clips of each split at most")
    arguments = parser.parse_args()
    pipe, corpus, rows = hm.load(arguments.model, device="cpu"), open_corpus(arguments.corpus), []
    for split in ("val", "test"):
        part, shares = corpus.select(split=split), {}
        chosen = np.linspace(0, len(part) - 1, min(arguments.clips, len(part)))
        for number in np.unique(chosen.round().astype(int)).tolist():
            clip = part[number]
            recorded = clip.frames.read().transpose(0, 2, 3, 1)
            shown = int(clip.landmarks[:, pipe.representation.point_names.index("AU25"), 0].argmax())
            row = {"still picture": recorded[0], "recorded": recorded[shown]}
            for name, units in motions(pipe, clip).items():
                drawn = draw(pipe, clip, units)
                row[name] = drawn[shown]
                shares.setdefault(name, []).append(explained(drawn, recorded))
            rows.append(row)
        print(split, ", ".join(f"{name}: {np.mean(values):.2f}" for name, values in shares.items()), flush=True)
    write_sheet(arguments.output, rows)


if __name__ == "__main__":
    main()
