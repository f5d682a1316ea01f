"""How opening a corpus and drawing from it grow with the number of clips: time, memory, and the cost of a batch.

The index is made up: rows of distinct ids, of many speakers, that point into one shard of silence under many names. Run
as ``python benchmarks/large_index.py`` with the numbers of clips to measure, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

FRAMES, CLIPS_PER_SHARD, BATCH, STEPS = 50, 500, 96, 200
SAMPLES = 640 * FRAMES


def write_large_corpus(folder: Path, clips: int) -> None:
    """Write header, index and one shard that is linked under the names of all."""
    from headmotion.data.array_file import write_arrays
    from headmotion.data.index_columns import IndexColumns
    from headmotion.data.shard_header import CorpusHeader, FileInfo
    from headmotion.data.shard_writer import write_header, write_index
    from headmotion.data.text_columns import Names, Texts

    (folder / "shards").mkdir(parents=True)
    held = min(clips, CLIPS_PER_SHARD)
    motion = np.zeros((held * FRAMES, 4, 2), np.float32)
    arrays: dict[str, list[Any]] = {"motion": [motion], "audio": [np.zeros(held * SAMPLES, np.int16)]}
    size, digest = write_arrays(folder / "shards/00000.safetensors", arrays)
    shards = {f"{k:05d}.safetensors": FileInfo(size=size, sha256=digest) for k in range(-(-clips // CLIPS_PER_SHARD))}
    for name in list(shards)[1:]:
        os.link(folder / "shards/00000.safetensors", folder / "shards" / name)
    rows = np.arange(clips)
    rng = np.random.default_rng(0)
    columns = IndexColumns(
        id=_numbered("clip-", rows),
        speaker=Names((rows // 20).astype(np.int32), _numbered("speaker-", np.arange(clips // 20 + 1))),
        split=Names((rng.random(clips) < 0.05).astype(np.int32), Texts.of(["train", "val"])),
        source=Names(np.zeros(clips, np.int32), Texts.of(["made up"])),
        license=Names(np.zeros(clips, np.int32), Texts.of(["CC0"])),
        checks=Texts(np.zeros(0, np.uint8), np.zeros(clips + 1, np.int64)),
        distribute=np.ones(clips, np.uint8),
        weight=np.ones(clips),
        frames=np.full(clips, FRAMES, np.int32),
        image_size=np.full((clips, 2), 256, np.int32),
        shard=(rows // CLIPS_PER_SHARD).astype(np.int32),
        first_frame=rows % CLIPS_PER_SHARD * FRAMES,
        first_sample=rows % CLIPS_PER_SHARD * SAMPLES,
    )
    index = write_index(folder, "index.safetensors", columns)
    spec = {"type": "keypoints", "points": 4}
    write_header(
        folder,
        CorpusHeader(representation=spec, points=4, dims=2, fps="25", clips=clips, index=index, shards=shards),
    )


def _numbered(prefix: str, numbers: np.ndarray) -> Any:
    """Return a text for each number."""
    from headmotion.data.text_columns import Texts

    head = np.broadcast_to(np.frombuffer(prefix.encode(), np.uint8), (len(numbers), len(prefix)))
    digits = numbers[:, None] // 10 ** np.arange(8, -1, -1) % 10 + ord("0")
    texts = np.concatenate([head, digits.astype(np.uint8)], axis=1)
    return Texts(texts.reshape(-1), np.arange(len(numbers) + 1) * texts.shape[1])


def measure(folder: Path) -> dict[str, float]:
    """Open a corpus and draw batches from it."""
    from headmotion.data.clip_draws import ClipDraws
    from headmotion.data.corpus import open_corpus

    before = _memory()
    start = time.perf_counter()
    corpus = open_corpus(folder)
    opened = time.perf_counter()
    memory = _memory() - before
    train = corpus.select(split="train")
    draws = ClipDraws(train.weights() * (train.frame_counts >= 25))
    ready = time.perf_counter()
    drawn, read = [], []
    for step in range(STEPS):
        begin = time.perf_counter()
        rng = np.random.default_rng([0, step])
        indices = [int(index) for index in draws.draw(rng, BATCH)]
        ids = [train.id_of(index) for index in indices]
        middle = time.perf_counter()
        for index in indices:
            train.read(index, ("motion", "audio"), 10, 25)
        drawn.append(middle - begin)
        read.append(time.perf_counter() - middle)
        assert len(ids) == BATCH
    return {
        "clips": len(corpus),
        "open_s": opened - start,
        "open_mb": memory,
        "prepare_s": ready - opened,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "draw_us": 1e6 * float(np.median(drawn)),
        "read_us": 1e6 * float(np.median(read)),
    }


def _memory() -> float:
    """Return what this process has in memory, mapped files included (MB)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=int, default=[10**4, 10**5, 10**6, 10**7])
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(measure(arguments.folder)))
        return
    print("     clips   open s  open MB   peak MB  ready s  draw us  read us   (a batch of 96)")
    for clips in arguments.clips:
        with tempfile.TemporaryDirectory() as root:
            write_large_corpus(Path(root) / "corpus", clips)
            command = [sys.executable, __file__, "--folder", str(Path(root) / "corpus")]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        row = json.loads(output.splitlines()[-1])
        print(
            f"{row['clips']:10d} {row['open_s']:8.2f} {row['open_mb']:8.0f} {row['peak_mb']:9.0f} "
            f"{row['prepare_s']:8.2f} {row['draw_us']:8.0f} {row['read_us']:8.0f}"
        )


if __name__ == "__main__":
    main()
