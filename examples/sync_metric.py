"""Offset (frames) and confidence of audio and motion, as SyncNet and MS-Sync measure them, from embeddings of windows.

Random vectors stand for the embeddings of syncers here; the metric ``av-sync`` takes those of trained ones.

python examples/sync_metric.py
"""

import torch

from headmotion.sync.av_offset import best_shift, valid_pairs

windows = torch.nn.functional.normalize(torch.randn(60, 32, generator=torch.Generator().manual_seed(0)), dim=-1)
for late in (0, 3, -5):
    motion, audio = windows[10:50], windows[10 - late : 50 - late]
    best = best_shift(valid_pairs(motion, audio))
    print(f"audio {late:+d} frames late: offset {best.offset:+d}, confidence {best.confidence:.2f}")
