"""Features of whole clips, encoded once and kept in a folder: a costly encoder then takes no time in later steps."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.component import device_of
from ..core.errors import TrainingError
from ..core.files import atomic_output
from ..core.interfaces.audio_encoder import AudioEncoder
from ..core.progress import track
from ..data.corpus import Corpus
from .feature_variation import UNCHANGED, FeatureVariation, VariedSound
from .resample_time import resample_time

FORMAT = 2
"""Part of every name, so that a change of the files' format makes them new."""


class StoredFeatures(NamedTuple):
    """Where the features of a clip are. They are read without a map, because maps keep their files open."""

    path: Path
    """The file."""
    offset: int
    """Where its numbers begin (bytes)."""
    steps: int
    """Audio steps."""
    channels: int
    """Numbers per step."""

    def read(self, first: int, last: int) -> npt.NDArray[np.float16]:
        """Return the steps from ``first`` to before ``last``, ``[last - first, C]``."""
        numbers, begin = (last - first) * self.channels, first * self.channels * np.float16().itemsize
        return np.fromfile(self.path, np.float16, numbers, offset=self.offset + begin).reshape(-1, self.channels)


class FeatureCache:
    """Features ``[A, C]`` of clips in float16, one file each, named by what they were made from.

    The name is the SHA-256 of the sound that is encoded, how it is varied, the encoder's spec and its weights. So a
    file cannot be out of date, and several corpora, trainings and processes can share a folder. Silence follows the end
    of a clip.

    Args:
        folder: where the files are; it is made if there is none.
        steps_per_frame: audio steps per motion frame.
        variation: what the sound of a clip is changed by, which its id and content determine.
        gain_db: how much louder than the clip the sound is that is encoded. An encoder with `SupportsAttenuation` then
            gives the features of any quieter one.
    """

    def __init__(
        self, folder: Path, steps_per_frame: int, variation: FeatureVariation = UNCHANGED, gain_db: float = 0.0
    ) -> None:
        self.folder, self.gain_db = folder, gain_db
        self._steps_per_frame, self._variation = steps_per_frame, variation
        self._stored: list[StoredFeatures] = []

    def fill(self, corpus: Corpus, encoder: AudioEncoder, extra_frames: int = 0) -> None:
        """Encode the clips that have no file yet, and remember the files of all.

        Args:
            corpus: the clips.
            encoder: the encoder, on the device that it computes on.
            extra_frames: frames of silence that are encoded after each clip.

        Raises:
            TrainingError: the folder cannot be written, or a file in it is damaged.
        """
        made_of = _digest(encoder) + (f" {self.gain_db!r}" if self.gain_db else "")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            varied = self._variation.of(corpus, encoder.hop * self._steps_per_frame)
            self._stored = []
            for index in track(range(len(corpus)), "audio features"):
                steps = (int(corpus.frame_counts[index]) + extra_frames) * self._steps_per_frame
                self._stored.append(_open(self._file(varied(index), encoder, steps, made_of)))
        except OSError as error:
            raise TrainingError("cached features", "a folder to write", f"{self.folder} ({error.strerror})") from None

    def read(self, index: int, first: int, count: int) -> npt.NDArray[np.float32]:
        """Return features of frames of a clip, ``[steps_per_frame * count, C]``.

        Args:
            index: the clip's place in the corpus of `fill`.
            first: first frame.
            count: number of frames; the last step is repeated beyond the end.
        """
        stored, wanted = self._stored[index], count * self._steps_per_frame
        begin = min(first * self._steps_per_frame, stored.steps - 1)
        values = stored.read(begin, min(begin + wanted, stored.steps))
        if len(values) < wanted:
            values = values[np.arange(wanted).clip(max=len(values) - 1)]
        return values.astype(np.float32)

    def _file(self, sound: VariedSound, encoder: AudioEncoder, steps: int, made_of: str) -> Path:
        content = hashlib.sha256(f"{made_of} {steps} {sound.description}".encode())
        content.update(sound.lead.tobytes() + sound.audio.tobytes())
        path = self.folder / f"{content.hexdigest()}.npy"
        if not path.is_file():
            features = _encode(encoder, sound, steps, self.gain_db)
            with atomic_output(path) as temporary, temporary.open("wb") as stream:
                np.save(stream, features)
        return path


def _open(path: Path) -> StoredFeatures:
    try:
        features = np.load(path, mmap_mode="r")
    except ValueError:
        raise TrainingError("cached features", "a complete file", str(path), "remove it") from None
    return StoredFeatures(path, features.offset, *features.shape)


@torch.inference_mode()
def _encode(encoder: AudioEncoder, sound: VariedSound, steps: int, gain_db: float) -> npt.NDArray[np.float16]:
    """Return features ``[steps, C]`` of the clip in a sound."""
    silence, before = sound.silence_samples // encoder.hop, len(sound.lead) // encoder.hop
    # One step more, because features of a changed voice are interpolated between two steps.
    played = math.ceil((before + steps) / sound.pace) + 1
    wave = torch.from_numpy(sound.wave())[None].to(device_of(encoder)) * 10 ** (gain_db / 20)
    features: Tensor = encoder(wave, silence + played)[:, silence:]
    if sound.pace != 1:
        features = resample_time(features, torch.tensor([1 / sound.pace]).to(features.device), before + steps)
    clip = features[0, before : before + steps]
    return np.asarray(clip.to(torch.float16).cpu().numpy())


def _digest(encoder: AudioEncoder) -> str:
    """Return the SHA-256 of what an encoder is made of: its spec, and the weights that checkpoints store."""
    digest = hashlib.sha256(f"{FORMAT} {json.dumps(encoder.spec.model_dump(mode='json'), sort_keys=True)}".encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
