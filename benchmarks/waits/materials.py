"""What the work is done on: a picture, speech, a video of a talking face, a corpus and syncers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import soundfile

import headmotion as hm
from headmotion.core.interfaces.renderer import Picture
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.media.image import read_picture

from ..evaluation import random_syncers
from .work import VIDEO_FRAMES

ASSETS = Path(hm.__file__).parent / "assets"
RATE = 48_000
SIZE, WIDTH = 576, 720
"""Edge to which the portrait is enlarged for the video, and the video's width."""


def write_materials(folder: Path) -> None:
    """Write all that the work needs into a folder."""
    with np.load(ASSETS / "portrait_landmarks.npz") as file:
        landmarks = file["landmarks"]
    picture = read_picture(ASSETS / "portrait.png")
    cv2.imwrite(str(folder / "portrait.png"), picture[..., ::-1])
    np.savez(folder / "portrait.npz", landmarks=landmarks)
    wave = hm.Audio.load(ASSETS / "speech.flac").read(RATE)
    soundfile.write(folder / "speech.wav", wave[: 3 * RATE], RATE)
    soundfile.write(folder / "long.wav", wave, RATE)
    _write_video(folder, picture, np.asarray(landmarks, np.float32))
    write_synthetic(folder / "corpus", clips=60, seconds=4.0)
    (folder / "recipe").mkdir()
    random_syncers(folder / "recipe").rename(folder / "syncers.safetensors")


def _write_video(folder: Path, picture: Picture, landmarks: npt.NDArray[np.float32]) -> None:
    """Write the portrait talking, 720 x 576."""
    margin, factor = (WIDTH - SIZE) // 2, SIZE / len(picture)
    large = cv2.copyMakeBorder(cv2.resize(picture, (SIZE, SIZE)), 0, 0, margin, margin, cv2.BORDER_REPLICATE)
    pose = landmarks[..., :2] * factor + np.array([margin, 0], np.float32)
    pipe, speech = hm.load("ms-sync", device="cpu"), folder / "long.wav"
    motion = pipe.generate(speech, reference=pose)[:VIDEO_FRAMES]
    pipe.render(motion, folder / "video.mp4", image=np.asarray(large, np.uint8), audio=speech, quiet=True)
