"""Write corpora of format 1, as earlier versions did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors.numpy import save

from headmotion.data.clip import Clip, to_stored
from headmotion.data.shard_header import FileInfo


def write_format1(folder: Path, clips: Sequence[Clip]) -> Path:
    """Write each clip, 68 landmarks in three dimensions, into a shard of its own."""
    (folder / "shards").mkdir(parents=True)
    lines, shards = [], {}
    for number, clip in enumerate(clips):
        stored = to_stored(clip)
        content = save({f"{clip.id}/landmarks": stored.landmarks, f"{clip.id}/audio": stored.audio})
        shard = f"{number:05d}.safetensors"
        (folder / "shards" / shard).write_bytes(content)
        shards[shard] = FileInfo.for_content(content).model_dump()
        line = {name: getattr(clip, name) for name in ("id", "speaker", "split", "source", "license", "distribute")}
        line |= {"weight": clip.weight, "frames": len(clip.landmarks), "seconds": clip.seconds, "shard": shard}
        line |= {"image_size": clip.image_size and list(clip.image_size), "checks": dict(clip.checks)}
        lines.append(json.dumps(line, sort_keys=True))
    index = "".join(f"{line}\n" for line in lines).encode()
    (folder / "index.jsonl").write_bytes(index)
    header = {
        "format": 1,
        "representation": {"type": "landmarks68", "dims": 3},
        "points": 68,
        "dims": 3,
        "fps": str(clips[0].fps),
        "sample_rate": 16000,
        "clips": len(clips),
        "index": FileInfo.for_content(index).model_dump(),
        "shards": shards,
    }
    (folder / "corpus.json").write_text(json.dumps(header))
    return folder
