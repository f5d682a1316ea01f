"""Write the weights of Whisper's lower layers, which the audio encoder `whisper` reads, as float16.

    python tools/convert_whisper.py ENCODER.safetensors headmotion/audio_encoders/models/whisper-tiny-en.safetensors

ENCODER is a file of Whisper's encoder by this project's names, or Hugging Face's ``model.safetensors`` of a Whisper.
The original is OpenAI's (MIT), github.com/openai/whisper. Positions are left out, because they follow from the width,
and so are the higher layers and the decoder. Nothing but numbers is taken over.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load, save

from headmotion.audio_encoders.whisper.network import POSITIONS, WhisperNetwork, sinusoids
from headmotion.audio_encoders.whisper.weights import own_names

CARD = {
    "name": "whisper-tiny-en",
    "description": "Convolutions and the first two of four encoder layers of OpenAI's Whisper tiny.en, unchanged",
    "license": "MIT",
    "source": "Whisper (OpenAI), model tiny.en, github.com/openai/whisper; arXiv 2212.04356",
    "training_data": "680,000 hours of speech from the internet, of which 65 % are English (according to its authors)",
    "intended_use": "features of speech for motion; the layers left out are needed to transcribe speech",
    "limits": "trained on English alone; features of other languages are good for mouths too, see docs/listening.md",
}
POSITION_TOLERANCE = 1e-3
"""Largest difference of a file's positions from sinusoids; the step of float16 below 1 is half of it."""


def main() -> None:
    """Convert the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--layers", type=int, default=2)
    arguments = parser.parse_args()
    content = arguments.encoder.read_bytes()
    stored = own_names(load(content))
    width, mels, _ = stored["conv1.weight"].shape
    positions = next((stored[name] for name in ("positions", "embed_positions.weight") if name in stored), None)
    if positions is not None and (positions.float() - sinusoids(POSITIONS, width)).abs().max() > POSITION_TOLERANCE:
        parser.error("the file's positions are not sinusoids")
    names = WhisperNetwork(mels, width, arguments.layers).state_dict()
    tensors = {name: stored[name].to(torch.float16).contiguous() for name in names}
    card = CARD | {"converted_from": f"{arguments.encoder.name}, SHA-256 {hashlib.sha256(content).hexdigest()}"}
    converted = save(tensors, metadata={"card": json.dumps(card, sort_keys=True)})
    arguments.output.write_bytes(converted)
    print(f"{len(tensors)} tensors, {len(converted):,} bytes, SHA-256 {hashlib.sha256(converted).hexdigest()}")


if __name__ == "__main__":
    main()
