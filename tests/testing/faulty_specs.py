"""Specs of parts that are correct, or have one fault each. No torch here: that is one of the things checked."""

from __future__ import annotations

from typing import ClassVar, Literal

from headmotion.core.interfaces.specs import (
    AudioEncoderSpec,
    ControlSpec,
    DetectorSpec,
    DiscriminatorSpec,
    GeneratorSpec,
    LossSpec,
    MetricSpec,
    PhaseSpec,
    RendererSpec,
    RepresentationSpec,
    SyncerSpec,
)


class GenSpec(GeneratorSpec):
    """A generator."""

    type: Literal["gen"] = "gen"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Gen

        return Gen(self, context)


class AbleSpec(GeneratorSpec):
    """A generator with deviations, which takes the audio of a listener."""

    type: Literal["able"] = "able"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Able

        return Able(self, context)


class WholeSpec(GeneratorSpec):
    """A generator that cannot stream."""

    type: Literal["whole"] = "whole"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Whole

        return Whole(self, context)


class EncSpec(AudioEncoderSpec):
    """An audio encoder."""

    type: Literal["enc"] = "enc"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Enc

        return Enc(self)


class PoolEncSpec(AudioEncoderSpec):
    """An audio encoder for pools."""

    type: Literal["pool-enc"] = "pool-enc"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import PoolEnc

        return PoolEnc(self)


class ClipEncSpec(AudioEncoderSpec):
    """An audio encoder that cannot stream."""

    type: Literal["clip-enc"] = "clip-enc"

    def build(self, context):
        from faulty_parts import ClipEnc

        return ClipEnc(self)


class SyncSpec(SyncerSpec):
    """A syncer."""

    type: Literal["sync-er"] = "sync-er"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Sync

        return Sync(self)


class DiscSpec(DiscriminatorSpec):
    """A discriminator."""

    type: Literal["disc"] = "disc"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Disc

        return Disc(self)


class DrawSpec(RendererSpec):
    """A renderer."""

    type: Literal["draw"] = "draw"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Draw

        return Draw(self)


class LearnSpec(RendererSpec):
    """A renderer that is trained, and draws from audio too."""

    type: Literal["learn"] = "learn"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Learn

        return Learn(self, context)


class ReprSpec(RepresentationSpec):
    """The 68 landmarks, with a fault."""

    type: Literal["repr"] = "repr"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context=None):
        from faulty_parts import faulty_landmarks

        return faulty_landmarks(self)


class FarSpec(LossSpec):
    """A loss."""

    type: Literal["far"] = "far"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Far

        return Far(self)


class SizeSpec(MetricSpec):
    """A metric."""

    type: Literal["size"] = "size"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Size

        return Size(self)


class FindSpec(DetectorSpec):
    """A detector."""

    representations: ClassVar[tuple[str, ...]] = ("landmarks68",)
    type: Literal["find"] = "find"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Find

        return Find(self, context)


class StepsSpec(PhaseSpec):
    """A phase."""

    type: Literal["steps"] = "steps"
    fault: str = ""
    """What is wrong with the part."""

    def build(self, context):
        from faulty_parts import Steps

        return Steps(self, context)


class SwaySpec(ControlSpec):
    """A control."""

    type: Literal["sway"] = "sway"
    fault: str = ""
    """What is wrong with the part."""

    def build(self):
        from faulty_parts import Sway

        return Sway(self.fault)


SPECS = {
    spec.type_name(): spec
    for spec in (
        GenSpec,
        AbleSpec,
        WholeSpec,
        EncSpec,
        ClipEncSpec,
        PoolEncSpec,
        SyncSpec,
        DiscSpec,
        DrawSpec,
        LearnSpec,
        ReprSpec,
        FarSpec,
        SizeSpec,
        FindSpec,
        StepsSpec,
        SwaySpec,
    )
}
