"""Time and memory of drawing large pictures; writes a table into docs/portrait-quality.md.

python benchmarks/large_pictures.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import numpy as np
import torch
from PIL import Image

import headmotion as hm

ROOT = Path(__file__).parent.parent
ASSETS, PAGE = ROOT / "headmotion" / "assets", ROOT / "docs" / "portrait-quality.md"
BEGIN, END = "<!-- large pictures -->\n", "<!-- end of large pictures -->\n"
EDGE = 512
"""Edge of the bundled portrait (px)."""
CASES = [("png", 512, None), ("jpg", 3464, None), ("jpg", 3464, 512)]
CASES += [("jpg", 9940, None), ("jpg", 9940, 512), ("png", 9940, 512)]
"""Format and edge of a square picture in pixels, and the requested size."""


def measure(path: Path, edge: int, size: int | None) -> tuple[float, float]:
    """Return the CPU seconds of thirty frames, and the growth of this process's peak memory in MB."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    pipe = hm.load("ms-sync", device="cpu")
    pose = pipe.reference(ASSETS / "portrait_landmarks.npz").poses[-1] * (edge / EDGE)
    shifts = torch.linspace(0, 0.02 * edge, 30)[:, None, None]
    motion = hm.Motion(pose + shifts, Fraction(25), reference=pose)
    before, start = peak_mb(), time.process_time()
    pipe.render(motion, path.parent / "out.mp4", path, renderer={"type": "portrait", "size": size}, quiet=True)
    return time.process_time() - start, peak_mb() - before


def peak_mb() -> float:
    """Return the peak resident memory of this process; that of `resource` includes the parent process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def rows(folder: Path) -> list[str]:
    """Return a row for each case, each measured in a process of its own."""
    lines = ["| picture | `size` | seconds of CPU | memory |", "|---|---|---|---|"]
    for suffix, edge, size in CASES:
        path = folder / f"{edge}.{suffix}"
        if not path.exists():
            large = Image.open(ASSETS / "portrait.png").convert("RGB").resize((edge, edge), Image.Resampling.BICUBIC)
            options: dict[str, Any] = {"compress_level": 1} if suffix == "png" else {"quality": 92}
            large.save(path, **options)
        command = [sys.executable, __file__, str(path), str(edge), str(size or 0)]
        seconds, memory = np.array(subprocess.check_output(command, text=True).split(), float)
        case = f"{edge} x {edge} ({edge * edge / 1e6:.2g} megapixels), {suffix.upper()}"
        lines.append(f"| {case} | {size or 'its own'} | {seconds:.1f} | {memory:.0f} MB |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Write the table between its markers."""
    with tempfile.TemporaryDirectory() as folder:
        lines = rows(Path(folder))
    before, _, after = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after.partition(END)[2], "utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) or None))
    else:
        main()
