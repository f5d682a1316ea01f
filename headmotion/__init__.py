"""Speech into motion: heads, faces, bodies. Names are imported on first use; torch is not needed to import this."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .core.hookspecs import hookimpl as hookimpl

if TYPE_CHECKING:
    from . import controls as controls
    from . import export as export
    from .core.abilities import Estimate as Estimate
    from .core.abilities import SupportsChunks as SupportsChunks
    from .core.abilities import SupportsListener as SupportsListener
    from .core.abilities import SupportsStreaming as SupportsStreaming
    from .core.abilities import SupportsStyle as SupportsStyle
    from .core.abilities import SupportsUncertainty as SupportsUncertainty
    from .core.audio import Audio as Audio
    from .core.audio_encoder import AudioEncoder as AudioEncoder
    from .core.chunks import Chunks as Chunks
    from .core.component import Component as Component
    from .core.converter import Converter as Converter
    from .core.detector import Detector as Detector
    from .core.discriminator import Discriminator as Discriminator
    from .core.errors import AudioError as AudioError
    from .core.errors import CheckpointError as CheckpointError
    from .core.errors import CorpusError as CorpusError
    from .core.errors import DetectorError as DetectorError
    from .core.errors import EvaluationError as EvaluationError
    from .core.errors import HeadmotionError as HeadmotionError
    from .core.errors import ImageError as ImageError
    from .core.errors import MotionError as MotionError
    from .core.errors import PluginError as PluginError
    from .core.errors import SpecError as SpecError
    from .core.errors import TrainingError as TrainingError
    from .core.generator import Generator as Generator
    from .core.licenses import Asset as Asset
    from .core.loss import Loss as Loss
    from .core.loss import LossInput as LossInput
    from .core.metric import Figures as Figures
    from .core.metric import Metric as Metric
    from .core.metric import MetricInput as MetricInput
    from .core.metric import Observation as Observation
    from .core.metric import Plot as Plot
    from .core.motion import Motion as Motion
    from .core.pyramid import Pyramid as Pyramid
    from .core.pyramid import PyramidSpec as PyramidSpec
    from .core.renderer import Renderer as Renderer
    from .core.representation import DrawsMore as DrawsMore
    from .core.representation import Frame as Frame
    from .core.representation import Representation as Representation
    from .core.spec import AudioEncoderSpec as AudioEncoderSpec
    from .core.spec import BuildContext as BuildContext
    from .core.spec import DetectorSpec as DetectorSpec
    from .core.spec import DiscriminatorSpec as DiscriminatorSpec
    from .core.spec import GeneratorSpec as GeneratorSpec
    from .core.spec import LossSpec as LossSpec
    from .core.spec import MetricSpec as MetricSpec
    from .core.spec import RendererSpec as RendererSpec
    from .core.spec import RepresentationSpec as RepresentationSpec
    from .core.spec import Spec as Spec
    from .core.spec import SpecField as SpecField
    from .core.spec import SyncerSpec as SyncerSpec
    from .core.spec import spec_from as spec_from
    from .core.syncer import Syncer as Syncer
    from .core.syncer import SyncerPyramid as SyncerPyramid
    from .pipeline import Pipeline as Pipeline
    from .pipeline import build as build
    from .pipeline import load as load
    from .pipeline import models as models
    from .pipeline_spec import PipelineSpec as PipelineSpec

__version__ = "0.1.0"

_HOMES = {
    "core.abilities": "Estimate SupportsChunks SupportsListener SupportsStreaming SupportsStyle SupportsUncertainty",
    "core.audio": "Audio",
    "core.audio_encoder": "AudioEncoder",
    "core.chunks": "Chunks",
    "core.component": "Component",
    "core.converter": "Converter",
    "core.detector": "Detector",
    "core.discriminator": "Discriminator",
    "core.errors": "AudioError CheckpointError CorpusError DetectorError EvaluationError HeadmotionError ImageError"
    " MotionError PluginError SpecError TrainingError",
    "core.generator": "Generator",
    "core.licenses": "Asset",
    "core.loss": "Loss LossInput",
    "core.metric": "Figures Metric MetricInput Observation Plot",
    "core.motion": "Motion",
    "core.pyramid": "Pyramid PyramidSpec",
    "core.renderer": "Renderer",
    "core.representation": "DrawsMore Frame Representation",
    "core.spec": "AudioEncoderSpec BuildContext DetectorSpec DiscriminatorSpec GeneratorSpec LossSpec MetricSpec"
    " RendererSpec RepresentationSpec Spec SpecField SyncerSpec spec_from",
    "core.syncer": "Syncer SyncerPyramid",
    "pipeline": "Pipeline build load models",
    "pipeline_spec": "PipelineSpec",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

_ROOMS = ("controls", "export")

__all__ = [*_ROOMS, "hookimpl", *_HOME_OF]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module 'headmotion' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
