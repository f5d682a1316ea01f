"""The weights of ARKit's blend shapes in each frame of a motion."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.motion import Motion


def arkit_frames(motion: Motion) -> Iterator[dict[str, float]]:
    """Yield the weights 0..1 of each frame by ARKit's names, such as ``jawOpen``.

    Raises:
        MotionError: no converter leads from the motion to blend shapes.
    """
    weights = motion.to("blendshapes")
    names = weights.build_representation().point_names
    for frame in weights.values[..., 0].clamp(0, 1).tolist():
        yield dict(zip(names, frame, strict=True))
