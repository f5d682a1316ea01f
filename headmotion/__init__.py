"""Speech into motion: heads, faces, bodies. Names are imported on first use; torch is not needed to import this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.hookspecs import hookimpl as hookimpl
from .core.lazy import lazy_names

if TYPE_CHECKING:
    from . import controls as controls
    from . import export as export
    from .core.assets import Asset as Asset
    from .core.bundled import find_bundled as find_bundled
    from .core.component import Component as Component
    from .core.errors import AudioError as AudioError
    from .core.errors import CheckpointError as CheckpointError
    from .core.errors import CorpusError as CorpusError
    from .core.errors import DetectorError as DetectorError
    from .core.errors import EvaluationError as EvaluationError
    from .core.errors import HeadmotionError as HeadmotionError
    from .core.errors import ImageError as ImageError
    from .core.errors import MotionError as MotionError
    from .core.errors import OutputError as OutputError
    from .core.errors import PluginError as PluginError
    from .core.errors import ServingError as ServingError
    from .core.errors import SpecError as SpecError
    from .core.errors import TrainingError as TrainingError
    from .core.frozen_weights import FrozenWeights as FrozenWeights
    from .core.frozen_weights import freeze as freeze
    from .core.frozen_weights import load_frozen as load_frozen
    from .core.interfaces.audio_encoder import AudioEncoder as AudioEncoder
    from .core.interfaces.audio_encoder import SupportsAttenuation as SupportsAttenuation
    from .core.interfaces.audio_encoder import SupportsAudioPooling as SupportsAudioPooling
    from .core.interfaces.audio_encoder import SupportsAudioStreaming as SupportsAudioStreaming
    from .core.interfaces.audio_encoder import SupportsFixedShapeSteps as SupportsFixedShapeSteps
    from .core.interfaces.capabilities import Estimate as Estimate
    from .core.interfaces.capabilities import SupportsDialogue as SupportsDialogue
    from .core.interfaces.capabilities import SupportsFixedShapes as SupportsFixedShapes
    from .core.interfaces.capabilities import SupportsPooling as SupportsPooling
    from .core.interfaces.capabilities import SupportsStreaming as SupportsStreaming
    from .core.interfaces.capabilities import SupportsStyle as SupportsStyle
    from .core.interfaces.capabilities import SupportsTrainingTerms as SupportsTrainingTerms
    from .core.interfaces.capabilities import SupportsUncertainty as SupportsUncertainty
    from .core.interfaces.converter import Converter as Converter
    from .core.interfaces.detector import Detection as Detection
    from .core.interfaces.detector import Detector as Detector
    from .core.interfaces.detector import SupportsLabels as SupportsLabels
    from .core.interfaces.detector import SupportsRepresentations as SupportsRepresentations
    from .core.interfaces.detector import SupportsTracking as SupportsTracking
    from .core.interfaces.discriminator import Discriminator as Discriminator
    from .core.interfaces.discriminator import SupportsPrediction as SupportsPrediction
    from .core.interfaces.fixed_shape_stream import FixedShapeStream as FixedShapeStream
    from .core.interfaces.generator import Generator as Generator
    from .core.interfaces.loss import Loss as Loss
    from .core.interfaces.loss import SupportsObjective as SupportsObjective
    from .core.interfaces.metric import Metric as Metric
    from .core.interfaces.metric import MetricInput as MetricInput
    from .core.interfaces.metric import MetricValues as MetricValues
    from .core.interfaces.metric import Observation as Observation
    from .core.interfaces.metric import PicturePair as PicturePair
    from .core.interfaces.metric import Plot as Plot
    from .core.interfaces.phase import Phase as Phase
    from .core.interfaces.phase import SupportsSchedule as SupportsSchedule
    from .core.interfaces.phase import UsesParts as UsesParts
    from .core.interfaces.renderer import Renderer as Renderer
    from .core.interfaces.renderer import SupportsTraining as SupportsTraining
    from .core.interfaces.representation import Representation as Representation
    from .core.interfaces.representation import SupportsDrawing as SupportsDrawing
    from .core.interfaces.representation import SupportsFitting as SupportsFitting
    from .core.interfaces.representation import SupportsMouth as SupportsMouth
    from .core.interfaces.representation import SupportsPoints2D as SupportsPoints2D
    from .core.interfaces.representation import UnitSquare as UnitSquare
    from .core.interfaces.sample import Sample as Sample
    from .core.interfaces.specs import AudioEncoderSpec as AudioEncoderSpec
    from .core.interfaces.specs import BuildContext as BuildContext
    from .core.interfaces.specs import ControlSpec as ControlSpec
    from .core.interfaces.specs import DetectorSpec as DetectorSpec
    from .core.interfaces.specs import DiscriminatorSpec as DiscriminatorSpec
    from .core.interfaces.specs import GeneratorSpec as GeneratorSpec
    from .core.interfaces.specs import LossSpec as LossSpec
    from .core.interfaces.specs import MetricSpec as MetricSpec
    from .core.interfaces.specs import PhaseSpec as PhaseSpec
    from .core.interfaces.specs import RendererSpec as RendererSpec
    from .core.interfaces.specs import RepresentationSpec as RepresentationSpec
    from .core.interfaces.specs import SyncerSpec as SyncerSpec
    from .core.interfaces.specs import resolve_spec as resolve_spec
    from .core.interfaces.syncer import Syncer as Syncer
    from .core.interfaces.tracks import Track as Track
    from .core.motion import Motion as Motion
    from .core.pipeline_spec import PipelineSpec as PipelineSpec
    from .core.preset_spec import PresetSpec as PresetSpec
    from .core.spec import Spec as Spec
    from .core.spec import SpecField as SpecField
    from .media.audio import Audio as Audio
    from .pipeline.loading import build as build
    from .pipeline.loading import load as load
    from .pipeline.loading import models as models
    from .pipeline.pipeline import Pipeline as Pipeline
    from .renderers.picture_stream import PictureStream as PictureStream
    from .sync.pyramid import Pyramid as Pyramid
    from .sync.specs import PyramidSpec as PyramidSpec
    from .sync.syncer_pyramid import SyncerPyramid as SyncerPyramid
    from .training.context import TrainContext as TrainContext
    from .training.settings import OptimizerSpec as OptimizerSpec

__version__ = "0.1.0"

_HOMES = {
    "core.assets": "Asset",
    "core.bundled": "find_bundled",
    "core.component": "Component",
    "core.errors": "AudioError CheckpointError CorpusError DetectorError EvaluationError HeadmotionError ImageError"
    " MotionError OutputError PluginError ServingError SpecError TrainingError",
    "core.frozen_weights": "FrozenWeights freeze load_frozen",
    "core.interfaces.audio_encoder": "AudioEncoder SupportsAttenuation SupportsAudioPooling"
    " SupportsAudioStreaming SupportsFixedShapeSteps",
    "core.interfaces.capabilities": "Estimate SupportsDialogue SupportsFixedShapes SupportsPooling SupportsStreaming"
    " SupportsStyle SupportsTrainingTerms SupportsUncertainty",
    "core.interfaces.converter": "Converter",
    "core.interfaces.detector": "Detection Detector SupportsLabels SupportsRepresentations SupportsTracking",
    "core.interfaces.discriminator": "Discriminator SupportsPrediction",
    "core.interfaces.fixed_shape_stream": "FixedShapeStream",
    "core.interfaces.generator": "Generator",
    "core.interfaces.loss": "Loss SupportsObjective",
    "core.interfaces.metric": "Metric MetricInput MetricValues Observation PicturePair Plot",
    "core.interfaces.phase": "Phase SupportsSchedule UsesParts",
    "core.interfaces.renderer": "Renderer SupportsTraining",
    "core.interfaces.representation": "Representation SupportsDrawing SupportsFitting SupportsMouth SupportsPoints2D"
    " UnitSquare",
    "core.interfaces.sample": "Sample",
    "core.interfaces.specs": "AudioEncoderSpec BuildContext ControlSpec DetectorSpec DiscriminatorSpec GeneratorSpec"
    " LossSpec MetricSpec PhaseSpec RendererSpec RepresentationSpec SyncerSpec resolve_spec",
    "core.interfaces.syncer": "Syncer",
    "core.interfaces.tracks": "Track",
    "core.motion": "Motion",
    "core.pipeline_spec": "PipelineSpec",
    "core.preset_spec": "PresetSpec",
    "core.spec": "Spec SpecField",
    "media.audio": "Audio",
    "pipeline.loading": "build load models",
    "pipeline.pipeline": "Pipeline",
    "renderers.picture_stream": "PictureStream",
    "sync.pyramid": "Pyramid",
    "sync.specs": "PyramidSpec",
    "sync.syncer_pyramid": "SyncerPyramid",
    "training.context": "TrainContext",
    "training.settings": "OptimizerSpec",
}
"""Public names by the module that defines them; the block above says the same to type checkers."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_ROOMS = ("controls", "export")

__all__ = [*_ROOMS, "hookimpl", *_HOME_OF]  # pyright: ignore[reportUnsupportedDunderAll]

__getattr__, __dir__ = lazy_names(__name__, _HOME_OF, _ROOMS)
