"""An exported model in ONNX Runtime, without headmotion and torch: speech in, a motion file out.

headmotion export ms-sync -o model.onnx
python examples/onnx_stream.py model.onnx speech.wav talk.npz
"""

import os
import sys
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import soundfile

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, which else contacts a server of Microsoft's
import onnxruntime

model, speech, output = map(Path, sys.argv[1:])
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
start = np.load(model.with_suffix(".npz"))  # the state after a reference, and the units of its frames
channels, recorded_rate = soundfile.read(speech, dtype="float32", always_2d=True)
rate = int(start["sample_rate"])
if channels.shape[1] != 1:
    sys.exit(f"mono speech is needed, not {channels.shape[1]} channels: ffmpeg -i IN -ac 1 -ar {rate} OUT")
wave, duration = channels[:, 0], Fraction(len(channels), recorded_rate)
if recorded_rate != rate:
    import soxr  # a resampler

    wave = soxr.resample(wave, recorded_rate, rate)

inputs = [node.name for node in session.get_inputs()]  # wave, end, and the state by name
state = {name: start[name] for name in inputs[2:]}
size = session.get_inputs()[0].shape[0]  # samples per chunk
total = max(1, floor(duration * Fraction(str(start["fps"])) + Fraction(1, 2)))

parts, done, first = [], 0, 0
while done < total:
    chunk = np.zeros(size, np.float32)  # silence follows the end, until all frames are out
    samples = wave[first : first + size]
    chunk[: len(samples)] = samples
    first += size
    # Number of frames of the whole speech, as soon as its last samples are there; -1 before.
    end = np.array([total if first >= len(wave) else -1], np.int64)
    frames, count, *next_state = session.run(None, {"wave": chunk, "end": end, **state})
    state = dict(zip(state, next_state, strict=True))
    parts.append(frames[: count[0]])  # fewer than a chunk's while the look-ahead fills, and at the end
    done += int(count[0])

values = np.concatenate(parts) * start["scale"] + start["offset"]
np.savez(output, values=values, fps=start["fps"], meta=start["meta"])
print(f"{len(values)} frames in {output}")
