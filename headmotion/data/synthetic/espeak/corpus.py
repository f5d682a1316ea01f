"""A synthetic corpus of spoken words: espeak-ng's speech, and landmarks that move with its phonemes and its melody."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]

from ....core.errors import CorpusError
from ...clip import SAMPLE_RATE, Clip
from ...corpus import write_corpus
from ..face import Person, filmed, make_person
from ..head_path import prosodic_path, with_chance
from ..prosody import FPS, SAMPLES_PER_FRAME, prosody
from .audio_augment import Sound, recorded
from .coarticulation import articulate
from .face import Performance, faces, head_pose, perform
from .sentences import LANGUAGES, write_sentence
from .synthesis import Phoneme, Utterance, Voice, say
from .visemes import SILENCE, Segment, segments

# fmt: off
VARIANTS = (
    "m1", "m3", "m4", "m5", "m7", "m8", "f1", "Andy", "Annie", "adam", "anika", "aunty", "belinda", "benjamin",
    "boris", "david", "ed", "edward", "Gene", "gustave", "iven", "john", "klatt", "linda", "max", "Michael",
    "norbert", "paul", "quincy", "rob", "robert", "sandro", "shelby", "steph", "victor", "Denis", "Lee", "Mario",
)
# fmt: on
"""Voices of espeak-ng that any language can have, without those that echo, whisper or sound like a robot."""


MOST_CLIPS = 1_000_000
"""Of one seed, so that corpora of different seeds differ."""


@dataclass(frozen=True, eq=False)
class SpokenClip(Clip):
    """A clip and the truth that it was made from."""

    text: str = ""
    voice: Voice | None = None
    phonemes: tuple[Phoneme, ...] = ()
    visemes: tuple[Segment, ...] = ()
    """They fill the clip, silence included."""
    performance: Performance | None = None


@dataclass(frozen=True, eq=False)
class Speaker:
    """Voice, face and manner of one person."""

    language: str
    voice: Voice
    size: float
    """Of the vocal tract: larger is lower, 1 as espeak-ng has it."""
    person: Person
    liveliness: float


def make_speaker(chance: np.random.Generator, languages: Sequence[str], voices: Sequence[str]) -> Speaker:
    """A random speaker.

    Raises:
        CorpusError: an unknown language, or no voices.
    """
    if not languages or not voices:
        raise CorpusError("synthetic speech", "at least one language and one voice", "none")
    language = str(chance.choice(languages))
    if language not in LANGUAGES:
        raise CorpusError("synthetic speech", f"languages out of {', '.join(LANGUAGES)}", repr(language)[:40])
    voice = Voice(
        name=f"{chance.choice(LANGUAGES[language][0])}+{chance.choice(voices)}",
        words_per_minute=int(chance.integers(120, 191)),
        pitch=int(chance.integers(25, 76)),
        range=int(chance.integers(35, 91)),
    )
    size = float(chance.uniform(0.92, 1.08))
    person = make_person(chance)
    return Speaker(language, voice, size, person, float(np.exp(chance.normal(-0.08, 0.4))))


def spoken_clip(
    seed: int,
    *,
    speaker: int | None = None,
    split: str = "train",
    languages: Sequence[str] = tuple(LANGUAGES),
    voices: Sequence[str] = VARIANTS,
    clean: bool = False,
) -> SpokenClip:
    """One sentence of 1 to 6 seconds at 25 fps and 16 kHz; the same arguments give the same clip on one machine.

    Args:
        seed: what is said and how.
        speaker: voice, face and manner; None is a speaker of the clip's own.
        split: what the clip is for.
        languages: out of `LANGUAGES`.
        voices: variants of espeak-ng.
        clean: without microphone, room and noise.

    Raises:
        CorpusError: espeak-ng is not installed, or does not know a voice or language.
    """
    who = seed if speaker is None else speaker
    trait, words, sound, motion, camera = (
        np.random.default_rng([source, stream, 1]) for stream, source in enumerate((who, seed, seed, seed, seed))
    )
    speaking = make_speaker(trait, languages, voices)
    text = write_sentence(words, speaking.language)
    utterance = say(text, speaking.voice)
    speech, phonemes = _placed(words, utterance, speaking.size)
    frames = len(speech) // SAMPLES_PER_FRAME
    visemes = _filled(segments(phonemes), frames / FPS)
    mouth = articulate(visemes, (np.arange(frames) + 0.5) / FPS)
    clear = speech.astype(np.float32)
    head = with_chance(motion, prosodic_path(clear, frames), speaking.liveliness)
    performance = perform(motion, mouth, prosody(clear, frames), head, speaking.person)
    pose = head_pose(motion, head, speaking.person)
    return SpokenClip(
        id=f"spoken-{seed:06d}",
        speaker=f"spoken-{who:06d}",
        split=split,
        landmarks=filmed(camera, faces(performance, speaking.person), pose),
        audio=clear if clean else recorded(sound, speech),
        license="CC BY 4.0",
        source=f"headmotion.data.synthetic.espeak; espeak-ng {utterance.version}, voice {speaking.voice.name}; "
        "face shape from GRID speaker 1 (Cooke et al. 2006)",
        distribute=True,
        image_size=(256, 256),
        text=text,
        voice=speaking.voice,
        phonemes=phonemes,
        visemes=visemes,
        performance=performance,
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
    """Write a corpus folder of spoken clips.

    Args:
        path: a new folder.
        clips: number of clips.
        seed: a corpus of another seed shares neither clips nor speakers with this one.
        languages: out of `LANGUAGES`; each speaker has one.
        voices: variants of espeak-ng.
        clips_per_speaker: clips that share voice and face.
        val_every: every so manieth speaker goes to the split ``val``, all others to ``train``.
        quiet: no progress bar.

    Raises:
        CorpusError: the folder is a corpus already, no clips are asked for, or espeak-ng cannot speak.
    """
    from rich.console import Console
    from rich.progress import track

    first = seed * MOST_CLIPS

    def make(k: int) -> Clip:
        speaker = k // clips_per_speaker
        split = "val" if speaker % val_every == val_every - 1 else "train"
        return spoken_clip(first + k, speaker=first + speaker, split=split, languages=languages, voices=voices)

    return write_corpus(path, map(make, track(range(clips), "clips", console=Console(stderr=True), disable=quiet)))


def _placed(chance: np.random.Generator, utterance: Utterance, size: float) -> tuple[Sound, tuple[Phoneme, ...]]:
    """Speech at 16 kHz with silence around it, whole frames long, and its phonemes in the clip's time.

    A larger vocal tract is the same sound played slower, so times stretch along.
    """
    sound = soxr.resample(utterance.samples.astype(np.float64), utterance.sample_rate * size, SAMPLE_RATE)
    before = int(chance.uniform(0.15, 0.5) * SAMPLE_RATE)
    after = chance.uniform(0.15, 0.5) * SAMPLE_RATE
    frames = math.ceil((before + len(sound) + after) / SAMPLES_PER_FRAME)
    placed = np.zeros(frames * SAMPLES_PER_FRAME)
    placed[before : before + len(sound)] = sound

    def when(seconds: float) -> float:
        return before / SAMPLE_RATE + seconds / size

    return placed, tuple(Phoneme(p.symbol, when(p.start), when(p.heard), when(p.end)) for p in utterance.phonemes)


def _filled(spoken: tuple[Segment, ...], seconds: float) -> tuple[Segment, ...]:
    """Segments with silence before and after, from 0 to the end of the clip."""
    start = spoken[0].start if spoken else 0.0
    end = spoken[-1].end if spoken else 0.0
    return (Segment(SILENCE, 0.0, start), *spoken, Segment(SILENCE, end, max(seconds, end)))
