"""Frames while the speech arrives, in chunks as a microphone would give them.

python examples/stream.py
"""

import time
from pathlib import Path

import headmotion as hm

assets = Path(hm.__file__).parent / "assets"
speech = hm.Audio.load(assets / "speech.flac")
pipe = hm.load(device="cpu")
session = pipe.stream(reference=assets / "portrait_landmarks.npz", sample_rate=speech.rate)
print(f"each frame waits for {pipe.lookahead_ms(speech.rate):.0f} ms of speech beyond its time stamp")

started, frames = time.perf_counter(), 0
for chunk in speech.blocks(speech.rate, seconds=0.02):
    frames += len(session.push(chunk))
frames += len(session.flush())
print(f"{frames} frames, {float(speech.duration) / (time.perf_counter() - started):.0f} times faster than real time")
