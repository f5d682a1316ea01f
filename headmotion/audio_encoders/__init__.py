"""Audio encoders: log mel energies, mel-frequency cepstra, and the lower layers of Whisper."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import LogMelSpec, MfccSpec
from .whisper.specs import WhisperSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the audio encoders that come with headmotion."""
    return [LogMelSpec, MfccSpec, WhisperSpec]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return license and source of the bundled weights."""
    return [
        Asset(
            "whisper-tiny-en.safetensors",
            "MIT",
            "Whisper (OpenAI), model tiny.en, github.com/openai/whisper; Radford, Kim, Xu, Brockman, McLeavey and "
            "Sutskever 2022; convolutions and the first two layers of its encoder, unchanged",
            note="the license asks to keep its notice, which is in models/LICENSES.md next to the file",
        )
    ]
