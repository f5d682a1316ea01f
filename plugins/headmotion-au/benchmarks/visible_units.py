"""How visible a raised unit is: what `headmotion animate --au UNIT=+OFFSET` changes in the pictures of a model.

    python plugins/headmotion-au/benchmarks/visible_units.py au/grid --page docs/au.md

For the bundled portrait and two seconds of the bundled speech: the mean change of the lower part of the face, in levels
of 255, against the pictures without an offset. Below it, as a measure, how much these change from frame to frame.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import headmotion as hm
from headmotion.controls import offset_weights

OFFSETS = (0.1, 0.3, 0.6, 1.0)
SECONDS, RATE = 2.0, 16_000
LOWER, LEFT, RIGHT = 0.58, 0.27, 0.73
"""The part of the pictures around mouth and chin, in edges."""
BEGIN, END = "<!-- visible units -->", "<!-- end of visible units -->"

Pictures = npt.NDArray[np.float32]
"""``[T, h, w, 3]``, levels 0..255."""


def drawn(pipe: hm.Pipeline, unit: str = "", offset: float = 0.0) -> Pictures:
    """Return mouth and chin of the pictures with a unit raised."""
    folder = Path(str(files("headmotion") / "assets"))
    speech = hm.Audio(hm.Audio.load(folder / "speech.flac").read(RATE, round(SECONDS * RATE)), RATE)
    image = np.asarray(Image.open(folder / "portrait.png").convert("RGB"))
    controls = [offset_weights({unit: offset})] if unit else []
    motion = pipe.generate(speech, folder / "portrait.png", controls=controls)
    frames = np.stack(list(pipe.iter_frames([motion], image, audio=speech))).astype(np.float32)
    height, width = frames.shape[1:3]
    return frames[:, round(LOWER * height) :, round(LEFT * width) : round(RIGHT * width)]


def table(model: str) -> list[str]:
    """Return the changes by unit and offset as lines of a table."""
    pipe = hm.load(model, device="cpu")
    plain = drawn(pipe)
    lines = [f"| unit | {' | '.join(f'+{offset:g}' for offset in OFFSETS)} |", "|---" * (1 + len(OFFSETS)) + "|"]
    for unit in pipe.representation.point_names:
        changes = [float(np.abs(drawn(pipe, unit, offset) - plain).mean()) for offset in OFFSETS]
        lines.append(f"| {unit} | {' | '.join(f'{change:.1f}' for change in changes)} |")
    between = float(np.abs(np.diff(plain, axis=0)).mean())
    return [*lines, "", f"From frame to frame the pictures without an offset change by {between:.1f}."]


def main() -> None:
    """Measure the model that the command line names."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("model", help="a model that draws action units")
    parser.add_argument("--page", type=Path, help="page whose table is written anew; by default it is printed")
    arguments = parser.parse_args()
    text = "\n".join(table(arguments.model))
    if arguments.page is None:
        print(text)
        return
    before, rest = arguments.page.read_text("utf-8").split(BEGIN)
    arguments.page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    main()
