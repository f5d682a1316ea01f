"""A synthetic corpus of spoken words: speech by espeak-ng, and landmarks that move with its phonemes and its melody."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]

from ....core.errors import CorpusError
from ....core.progress import track
from ....core.short_repr import short_repr
from ...clip import SAMPLE_RATE, Clip
from ...corpus import write_corpus
from ...made_from import record_of
from ..curves import FPS
from ..face_model import FaceIdentity, make_face_identity, project_faces
from ..head_path import add_random_motion, prosodic_path
from ..prosody import SAMPLES_PER_FRAME, prosody
from ..talking_faces import MAX_CLIPS, periodic_split
from .audio_augment import Samples, simulate_recording
from .coarticulation import articulate
from .espeak_speech import EspeakVoice, Phoneme, Utterance, synthesize
from .sentences import LANGUAGES, write_sentence
from .spoken_face import SpokenFaceMotion, animate_spoken_face, pose_spoken_faces, spoken_head_pose
from .visemes import SILENCE, VisemeSegment, to_viseme_segments

# fmt: off
VARIANTS = (
    "m1", "m3", "m4", "m5", "m7", "m8", "f1", "Andy", "Annie", "adam", "anika", "aunty", "belinda", "benjamin",
    "boris", "david", "ed", "edward", "Gene", "gustave", "iven", "john", "klatt", "linda", "max", "Michael",
    "norbert", "paul", "quincy", "rob", "robert", "sandro", "shelby", "steph", "victor", "Denis", "Lee", "Mario",
)
# fmt: on
"""Voices of espeak-ng that any language can have, without those that echo, whisper or sound like a robot."""


@dataclass(frozen=True, eq=False)
class SpokenClip(Clip):
    """A clip with its ground truth."""

    text: str = ""
    voice: EspeakVoice | None = None
    phonemes: tuple[Phoneme, ...] = ()
    visemes: tuple[VisemeSegment, ...] = ()
    """They fill the clip, silence included."""
    face_motion: SpokenFaceMotion | None = None


@dataclass(frozen=True, eq=False)
class SpokenSpeaker:
    """Language, voice, face and habits of one speaker."""

    language: str
    voice: EspeakVoice
    tract_length: float
    """Length of the vocal tract: a longer one sounds lower, 1 is that of espeak-ng."""
    identity: FaceIdentity
    liveliness: float


def make_speaker(rng: np.random.Generator, languages: Sequence[str], voices: Sequence[str]) -> SpokenSpeaker:
    """Return a random speaker.

    Args:
        rng: source of randomness.
        languages: out of `LANGUAGES`.
        voices: variants of espeak-ng.

    Raises:
        CorpusError: an unknown language, or no voices.
    """
    if not languages or not voices:
        raise CorpusError("synthetic speech", "at least one language and one voice", "none")
    language = str(rng.choice(languages))
    if language not in LANGUAGES:
        raise CorpusError("synthetic speech", f"languages out of {', '.join(LANGUAGES)}", short_repr(language))
    voice = EspeakVoice(
        name=f"{rng.choice(LANGUAGES[language].voices)}+{rng.choice(voices)}",
        words_per_minute=int(rng.integers(120, 191)),
        pitch=int(rng.integers(25, 76)),
        range=int(rng.integers(35, 91)),
    )
    tract_length = float(rng.uniform(0.92, 1.08))
    identity = make_face_identity(rng)
    return SpokenSpeaker(language, voice, tract_length, identity, float(np.exp(rng.normal(-0.08, 0.4))))


def spoken_clip(
    seed: int,
    *,
    speaker: int | None = None,
    split: str = "train",
    languages: Sequence[str] = tuple(LANGUAGES),
    voices: Sequence[str] = VARIANTS,
    clean: bool = False,
) -> SpokenClip:
    """Return one sentence of 1 to 6 seconds at 25 fps and 16 kHz; the same arguments give the same clip on one machine.

    Args:
        seed: seed of what is said and how.
        speaker: number of the speaker, who has a voice, a face and habits; None: a speaker of the clip's own.
        split: split of the clip.
        languages: out of `LANGUAGES`.
        voices: variants of espeak-ng.
        clean: without microphone, room and noise.

    Raises:
        CorpusError: espeak-ng is not installed, or does not know a voice or language.
    """
    speaker_seed = seed if speaker is None else speaker
    speaker_rng, text_rng, audio_rng, motion_rng, camera_rng = (
        # The 1 keeps these streams apart from those of `synthesize_speech`.
        np.random.default_rng([source, stream, 1])
        for stream, source in enumerate((speaker_seed, seed, seed, seed, seed))
    )
    who = make_speaker(speaker_rng, languages, voices)
    text = write_sentence(text_rng, who.language)
    utterance = synthesize(text, who.voice)
    speech, phonemes = _pad_with_silence(text_rng, utterance, who.tract_length)
    frames = len(speech) // SAMPLES_PER_FRAME
    visemes = _fill_with_silence(to_viseme_segments(phonemes), frames / FPS)
    mouth = articulate(visemes, (np.arange(frames) + 0.5) / FPS)
    # Motion follows the clean speech, not what a noisy recording makes of it.
    clean_audio = speech.astype(np.float32)
    head = add_random_motion(motion_rng, prosodic_path(clean_audio, frames), who.liveliness)
    motion = animate_spoken_face(motion_rng, mouth, prosody(clean_audio, frames), head, who.identity)
    pose = spoken_head_pose(motion_rng, head, who.identity)
    return SpokenClip(
        id=f"spoken-{seed:06d}",
        speaker=f"spoken-{speaker_seed:06d}",
        split=split,
        landmarks=project_faces(camera_rng, pose_spoken_faces(motion, who.identity), pose),
        audio=clean_audio if clean else simulate_recording(audio_rng, speech),
        license="CC BY 4.0",
        source=f"headmotion.data.synthetic.espeak; espeak-ng {utterance.version}, voice {who.voice.name}; "
        "face shape from GRID speaker 1 (Cooke et al. 2006)",
        distribute=True,
        image_size=(256, 256),
        text=text,
        voice=who.voice,
        phonemes=phonemes,
        visemes=visemes,
        face_motion=motion,
    )


def write_spoken(
    path: str | os.PathLike[str],
    clips: int = 100,
    seed: int = 0,
    *,
    languages: Sequence[str] = tuple(LANGUAGES),
    voices: Sequence[str] = VARIANTS,
    clips_per_speaker: int = 5,
    val_every: int = 10,
    quiet: bool = False,
) -> Path:
    """Write a corpus folder of spoken clips; the same call again finds it complete.

    Args:
        path: a new folder.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        languages: out of `LANGUAGES`; each speaker has one.
        voices: variants of espeak-ng.
        clips_per_speaker: clips that share voice and face.
        val_every: every n-th speaker goes to the split ``val``, all others to ``train``.
        quiet: no progress bar.

    Raises:
        CorpusError: the folder is another corpus already, ``clips`` is 0, or espeak-ng cannot speak.
    """
    first = seed * MAX_CLIPS

    def make(k: int) -> Clip:
        speaker = k // clips_per_speaker
        split = periodic_split(speaker, val_every)
        return spoken_clip(first + k, speaker=first + speaker, split=split, languages=languages, voices=voices)

    made_from = record_of(
        synthetic="spoken",
        clips=clips,
        seed=seed,
        languages=list(languages),
        voices=list(voices),
        clips_per_speaker=clips_per_speaker,
        val_every=val_every,
    )
    return write_corpus(path, map(make, track(range(clips), "clips", quiet=quiet)), made_from)


def _pad_with_silence(
    rng: np.random.Generator, utterance: Utterance, tract_length: float
) -> tuple[Samples, tuple[Phoneme, ...]]:
    """Return speech at 16 kHz with silence around it, whole frames long, and its phonemes in the clip's time.

    A longer vocal tract is the same sound played slower, so times are stretched too.
    """
    sound = soxr.resample(utterance.samples.astype(np.float64), utterance.sample_rate * tract_length, SAMPLE_RATE)
    before = int(rng.uniform(0.15, 0.5) * SAMPLE_RATE)
    after = rng.uniform(0.15, 0.5) * SAMPLE_RATE
    frames = math.ceil((before + len(sound) + after) / SAMPLES_PER_FRAME)
    padded = np.zeros(frames * SAMPLES_PER_FRAME)
    padded[before : before + len(sound)] = sound

    def in_clip(seconds: float) -> float:
        return before / SAMPLE_RATE + seconds / tract_length

    phonemes = tuple(Phoneme(p.symbol, in_clip(p.start), in_clip(p.onset), in_clip(p.end)) for p in utterance.phonemes)
    return padded, phonemes


def _fill_with_silence(segments: tuple[VisemeSegment, ...], seconds: float) -> tuple[VisemeSegment, ...]:
    """Return segments with silence before and after, from 0 to the end of the clip."""
    start = segments[0].start if segments else 0.0
    end = segments[-1].end if segments else 0.0
    return (VisemeSegment(SILENCE, 0.0, start), *segments, VisemeSegment(SILENCE, end, max(seconds, end)))
