"""From a picture and a recording of speech to a motion file and a video.

python examples/animate.py out
"""

import sys
from pathlib import Path

import headmotion as hm

assets, output = Path(hm.__file__).parent / "assets", Path(sys.argv[1] if len(sys.argv) > 1 else "out")

pipe = hm.load()
motion = pipe.generate(assets / "speech.flac", reference=assets / "portrait_landmarks.npz", fps=30)
motion.save(output / "talk.npz")
video = pipe.render(
    motion, output / "talk.mp4", image=assets / "portrait.png", audio=assets / "speech.flac", quiet=True
)
print(f"{len(motion)} frames at {motion.fps} per second: {video}")
