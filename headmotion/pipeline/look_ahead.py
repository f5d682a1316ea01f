"""How much audio beyond a frame's time stamp the frame waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..controls import MotionEdit, chain_lookahead_ms
from ..core.interfaces.audio_encoder import needs_whole_clip
from ..core.interfaces.capabilities import as_streaming
from ..core.timing import FrameResampler, Rate, as_fps
from ..media.audio import Resampler
from .motion_options import checked_controls

if TYPE_CHECKING:
    from .pipeline import Pipeline


def lookahead_ms(
    pipeline: Pipeline, sample_rate: int, fps: Rate | None = None, controls: Sequence[MotionEdit] = ()
) -> float | None:
    """Compute the audio beyond a frame's time stamp that the frame waits for, resamplers and controls included (ms).

    Args:
        pipeline: the built parts.
        sample_rate: rate of the samples (Hz).
        fps: frames per second of the motion; None means the pipeline's own.
        controls: edits of the motion.

    Returns:
        Milliseconds; None if the audio encoder, the generator or a control needs the whole clip.
    """
    encoder, native_fps = pipeline.audio_encoder, pipeline.spec.fps
    controls = checked_controls(controls)
    frames = as_streaming(pipeline.generator).lookahead
    if frames is None or encoder.look_ahead is None or needs_whole_clip(encoder):
        return None
    frames += FrameResampler(native_fps, native_fps if fps is None else as_fps(fps)).lookahead
    # Up to the end of the window of the last step that frame 0 waits for, rounded up to a block of one frame.
    block = encoder.hop * pipeline.spec.steps_per_frame
    needed = (frames + 1) * block - encoder.hop + encoder.look_ahead
    samples = -(-needed // block) * block
    edited = chain_lookahead_ms(controls, 1000 * samples / encoder.sample_rate)
    return None if edited is None else edited + 1000 * Resampler(sample_rate, encoder.sample_rate).delay_seconds
