"""The syncers of a training run as a metric: by how many frames are audio and motion apart, and how surely?

python examples/sync_metric.py
"""

import torch

from headmotion.sync.av_offset import best_shift, valid_pairs

windows = torch.nn.functional.normalize(torch.randn(60, 32, generator=torch.Generator().manual_seed(0)), dim=-1)
for late in (0, 3, -5):
    motion, audio = windows[10:50], windows[10 - late : 50 - late]
    found = best_shift(valid_pairs(motion, audio))
    print(f"audio {late:+d} frames late: offset {found.offset:+d}, confidence {found.confidence:.2f}")
