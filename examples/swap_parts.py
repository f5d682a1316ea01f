"""Other parts by other specs: learned keypoints instead of landmarks, MFCC instead of log-mel, 30 frames per second.

python examples/swap_parts.py
"""

import numpy as np

import headmotion as hm

spec = hm.PipelineSpec.model_validate(
    {
        "representation": {"type": "keypoints", "points": 10, "jacobians": True},
        "audio_encoder": {"type": "mfcc", "n_mfcc": 13},
        "generator": {"type": "ms-sync", "preset": "small", "levels": 3, "level_lookahead": [1, 0]},
    }
)
pipe = hm.build(spec, seed=0)
tone = np.sin(np.arange(32_000) * 2 * np.pi * 220 / 16_000).astype(np.float32)
motion = pipe.generate((tone, 16_000), reference=np.random.default_rng(0).random((10, 6)) * 256, fps=30)
print(f"untrained motion of {motion.representation['type']}: {list(motion.values.shape)} at {motion.fps}")
