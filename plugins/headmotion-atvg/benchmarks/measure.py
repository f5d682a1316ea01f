"""Measure VG-net and AT-net on GRID clips that they were not trained on, and write the tables and the sheet of a page.

    python plugins/headmotion-atvg/benchmarks/measure.py ../shared/data MODEL [--corpus runs/grid] [--clips 10]

MODEL is a checkpoint with both networks, such as that of the recipe ``atvg/grid``. It writes ``docs/atvg.md`` between
its marks, and ``docs/images/atvg-sheet.jpg``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import torch
from grid_corpus import make_corpus
from PIL import Image

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus

ROOT = Path(__file__).parents[3]
PAGE, SHEET = ROOT / "docs" / "atvg.md", ROOT / "docs" / "images" / "atvg-sheet.jpg"
BEGIN, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
SPLITS = {"val": "sentences that were not trained on, of speakers 1 and 4", "test": "faces that were not trained on"}
PICTURES = ("still picture", "warp of the true motion", "VG-net, true motion", "VG-net, AT-net", "VG-net, MS-Sync")
METRICS: dict[str, tuple[dict[str, Any], str]] = {
    "SSIM": ({"type": "ssim"}, "ssim"),
    "PSNR (dB)": ({"type": "psnr"}, "psnr_db"),
    "lips SSIM": ({"type": "ssim", "group": "lips"}, "ssim"),
    "lips PSNR (dB)": ({"type": "psnr", "group": "lips"}, "psnr_db"),
    "lips LMD (px)": ({"type": "lmd-redetected", "every": 5}, "lmd_redetected_px"),
}
SHARPNESS = "lips sharpness"
MOTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "opening: correlation": ({"type": "opening"}, "correlation"),
    "lips LMD (px)": ({"type": "lmd"}, "lmd_px"),
}


@dataclass(frozen=True)
class Drawn:
    """A clip with the pictures of all sources."""

    clip: Clip
    real: torch.Tensor
    """``uint8 [T, 3, H, W]``."""
    poses: torch.Tensor
    """``[T, 68, 2]`` in pixels of the pictures."""
    pictures: Mapping[str, np.ndarray]
    """``uint8 [T, H, W, 3]`` by source."""
    motions: Mapping[str, hm.Motion]
    """What was generated from speech, by source."""
    maps: Mapping[str, np.ndarray]
    """Attention and colors of VG-net on the true motion, ``[T, H, W, 1 or 3]``, 0..1."""


class Drawer:
    """Draws a clip over its first picture, by every source."""

    def __init__(self, model: str) -> None:
        self.pipe, self.ms_sync = hm.load(model, device="cpu"), hm.load("ms-sync", device="cpu")
        size = self.pipe.renderer.training_picture_size[0]
        self.warp = self.pipe.with_renderer({"type": "portrait", "size": size})

    @torch.no_grad()
    def draw(self, clip: Clip) -> Drawn:
        """Return a clip with all pictures."""
        assert clip.frames is not None
        real = torch.from_numpy(clip.frames.read())
        poses = torch.from_numpy(clip.landmarks[..., :2].copy())
        image = real[0].permute(1, 2, 0).contiguous().numpy()
        speech = (clip.audio, 16_000)
        true = hm.Motion(poses, clip.fps, reference=poses[0])
        motions = {
            "AT-net": self.pipe.generate(speech, reference=poses[:1].numpy()),
            "MS-Sync": self.ms_sync.generate(speech, reference=poses[:3].numpy()),
        }

        def render(motion: hm.Motion, renderer: hm.Renderer) -> np.ndarray:
            return np.stack(list(self.pipe.iter_frames([motion], image, poses[0].numpy(), renderer=renderer)))

        vg_net = self.pipe.renderer
        pictures = {
            PICTURES[0]: np.broadcast_to(image, (len(poses), *image.shape)).copy(),
            PICTURES[1]: render(true, self.warp),
            PICTURES[2]: render(true, vg_net),
            PICTURES[3]: render(motions["AT-net"], vg_net),
            PICTURES[4]: render(motions["MS-Sync"], vg_net),
        }
        stream = hm.PictureStream(vg_net, self.pipe.representation, [true], image, poses[0].numpy())
        outputs = vg_net.pictures(stream.identity, stream.pose, next(iter(stream.windows())).motion)
        maps = {name: outputs[name][0].permute(0, 2, 3, 1).numpy() for name in ("attention", "motion_map")}
        return Drawn(clip, real, poses, pictures, motions, maps)


def measure_pictures(drawn: Drawn, metrics: Mapping[str, hm.Metric]) -> dict[str, dict[str, float]]:
    """Return the values of each source by name; the first frame, which is given, is left out."""
    real, poses = drawn.real[1:], drawn.poses[1:]
    true = hm.Motion(poses, drawn.clip.fps)
    values: dict[str, dict[str, float]] = {}
    for source, pictures in {**drawn.pictures, "recorded": real.permute(0, 2, 3, 1).numpy()}.items():
        shown = torch.from_numpy(pictures[1:] if source != "recorded" else pictures).permute(0, 3, 1, 2)
        given = hm.MetricInput(drawn.clip.id, true, true, pictures=hm.PicturePair(shown, real, poses))
        values[source] = {}
        for name, (_, key) in METRICS.items():
            metric = metrics[name]
            value = metric.per_clip(metric.observe(given)).get(key)
            if value is not None:
                values[source][name] = value
        values[source][SHARPNESS] = sharpness(shown, poses) / sharpness(real, poses)
    return values


def sharpness(pictures: torch.Tensor, poses: torch.Tensor) -> float:
    """Return the variance of the Laplacian of pictures ``[T, 3, H, W]`` around the lips, the mean over frames."""
    low, high = poses[:, 48:].amin((0, 1)), poses[:, 48:].amax((0, 1))
    left, top, right, bottom = (int(edge) for edge in (*(low - 4).clamp(min=0), *(high + 5)))
    gray = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures.permute(0, 2, 3, 1).contiguous().numpy()]
    return float(np.mean([cv2.Laplacian(p, cv2.CV_64F)[top:bottom, left:right].var() for p in gray]))


def measure_motions(drawn: Drawn, metrics: Mapping[str, hm.Metric]) -> dict[str, dict[str, float]]:
    """Return the values of generated motion by source."""
    true = hm.Motion(drawn.poses, drawn.clip.fps)
    values: dict[str, dict[str, float]] = {}
    for source, motion in drawn.motions.items():
        given = hm.MetricInput(drawn.clip.id, motion, true)
        found = {name: metrics[name].per_clip(metrics[name].observe(given)).get(MOTIONS[name][1]) for name in MOTIONS}
        values[source] = {name: value for name, value in found.items() if value is not None}
    return values


def table(columns: Sequence[str], clips: Sequence[Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return a table of means over clips, with a 95 % interval by a bootstrap over clips, a row per source."""
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for source in clips[0]:
        cells = [interval([clip[source][name] for clip in clips if name in clip[source]]) for name in columns]
        lines.append(f"| {source} | {' | '.join(cells)} |")
    return [*lines, ""]


def interval(values: Sequence[float]) -> str:
    """Return the mean of values with its interval as text."""
    if not values:
        return "-"
    rng, given = np.random.default_rng(0), np.array(values)
    means = given[rng.integers(0, len(given), (2000, len(given)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{given.mean():.3g} ({low:.3g} to {high:.3g})"


def sheet_row(drawn: Drawn) -> np.ndarray:
    """Return identity, true frame, warp, VG-net on true motion and on speech, attention and colors, side by side.

    The frame is the one whose lips are farthest from the first frame's.
    """
    lips = drawn.poses[:, 48:]
    shapes = lips - lips.mean(1, keepdim=True)
    frame = int((shapes - shapes[0]).norm(dim=-1).mean(1).argmax())
    real = drawn.real.permute(0, 2, 3, 1).numpy()
    attention, colors = (np.rint(255 * drawn.maps[name][frame]) for name in ("attention", "motion_map"))
    cells = [real[0], real[frame], *(drawn.pictures[name][frame] for name in PICTURES[1:4])]
    return np.hstack([*cells, np.repeat(attention, 3, axis=-1).astype(np.uint8), colors.astype(np.uint8)])


def main() -> None:
    """Measure the model that the command line names."""
    parser = argparse.ArgumentParser(description="Measure a model of ATVGnet.")
    parser.add_argument("data", type=Path, help="folder with grid_s1 and grid_more")
    parser.add_argument("model", help="checkpoint, or name of a bundled model")
    parser.add_argument("--corpus", type=Path, default=Path("runs/grid"), help="folder of grid_corpus.py")
    parser.add_argument("--clips", type=int, default=10, help="clips per split at most, spread over it")
    given = parser.parse_args()
    drawer = Drawer(given.model)
    context = drawer.pipe.context()
    metrics = {n: hm.resolve_spec("metric", spec).build(context) for n, (spec, _) in METRICS.items()}
    of_motion = {n: hm.resolve_spec("metric", spec).build(context) for n, (spec, _) in MOTIONS.items()}
    corpus = open_corpus(make_corpus(given.data, given.corpus))
    lines, rows = [trained(drawer.pipe.card), ""], []
    for split, what in SPLITS.items():
        clips = corpus.select(split=split)
        chosen = np.unique(np.linspace(0, len(clips) - 1, min(given.clips, len(clips))).round().astype(int))
        pictures, motions = [], []
        for index in chosen.tolist():
            drawn = drawer.draw(clips[index])
            pictures.append(measure_pictures(drawn, metrics))
            motions.append(measure_motions(drawn, of_motion))
            rows.append((pictures[-1][PICTURES[2]]["lips PSNR (dB)"], split, sheet_row(drawn)))
            print(split, drawn.clip.id, pictures[-1][PICTURES[2]], flush=True)
        lines += [f"### {split}: {what}, {len(chosen)} clips", ""]
        lines += table([*METRICS, SHARPNESS], pictures) + table(list(MOTIONS), motions)
    write_page(lines)
    # The best and the worst clips of each split, best first.
    ordered = sorted(rows, key=lambda row: (row[1] != "val", -row[0]))
    kept = [row for split in SPLITS for row in spread([r for r in ordered if r[1] == split])]
    Image.fromarray(np.vstack([row[2] for row in kept])).save(SHEET, quality=90)


def trained(card: Mapping[str, Any]) -> str:
    """Return what the model was trained on, in a sentence."""
    steps = {name: card["recipe"]["phases"][name]["steps"] for name in ("vg-net", "at-net")}
    minutes = round(card["training_seconds"] / 60)
    return (
        f"The measured model: {steps['vg-net']} steps of VG-net and {steps['at-net']} of AT-net over {card['clips']} "
        f"clips of {card['speakers']} speakers, {minutes} minutes of a busy processor."
    )


def spread(rows: Sequence[Any], count: int = 5) -> list[Any]:
    """Return ``count`` of sorted rows, with both ends."""
    return [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))]


def write_page(lines: Sequence[str]) -> None:
    """Replace what is between the marks of the page."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after, "utf-8")


if __name__ == "__main__":
    main()
