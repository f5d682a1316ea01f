"""A still picture of a face, warped to other poses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...core.interfaces.representation import Representation
from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .border import Border
from .box import Box, SourceMap
from .displacement_field import Grid, interpolate
from .eye import EyeLayer, open_lids
from .head_ellipse import HeadEllipse
from .mouth import MouthLayer
from .opening_layer import OpeningLayer, SkullMotion, blend, fill
from .openings import MOUTH, Opening, OpeningShape, find_openings, up_direction
from .parallax import HeadMotion, ParallaxModel
from .still_picture import StillPicture
from .warp import Similarity, Weights

SMOOTH_RADIUS, EXACT_RADIUS = 0.8, 0.25
"""Reach of a landmark's own motion, in units of the face: first smoothly, with the hair around it, then exactly."""
SMOOTH_NODES, EXACT_NODES = 16, 36
"""Nodes of the grids across the face on which these motions are computed."""
MAX_NODES = 128
"""Nodes of the first grid across a picture in which the face is small, at most."""
SMOOTH_RIDGE = 5.0
"""Regularization of the smooth part, by which a single landmark hardly moves the hair."""


class PortraitWarper:
    """A picture with all that is computed once: its enlargement, the head and the openings.

    A frame is composed of three views of the picture: the face as it moves above each opening, the face as it moves
    below it, and what is visible inside, which is assumed to be opaque. The first two meet in the middle of an opening.

    Args:
        picture: the still picture ``[H, W, 3]``, or ``[H, W, 4]`` with sensible colors where it is transparent.
        pose: positions ``[P]`` of the landmarks in it.
        representation: what the landmarks mean.
    """

    def __init__(self, picture: Picture, pose: ComplexPoints, representation: Representation) -> None:
        self.picture, self.pose = picture, pose
        self.still = StillPicture(picture)
        self.colors = np.ascontiguousarray(picture[..., :3])
        self.picture_box = Box(0, 0, picture.shape[1], picture.shape[0])
        self.head = HeadEllipse(pose, up_direction(pose, representation))
        self.parallax = ParallaxModel(pose, self.head, representation)
        self.rigid = self.parallax.rigid
        self.openings = find_openings(representation)
        self.layers = [self._layer(opening) for opening in self.openings]
        outlines = np.concatenate([layer.still.outline for layer in self.layers])
        self.border = Border(self.picture_box, outlines)
        # Above a mouth or an eye the lower edge must not pull, and below it the upper.
        self.above = self._all_but({point for opening in self.openings for point in opening.lower[1:-1]})
        self.below = self._all_but({point for opening in self.openings for point in opening.upper[1:-1]})

    def warp(self, pose: ComplexPoints) -> Picture:
        """Return the picture in another pose: positions ``[P]`` in its pixels."""
        pose = self.parallax.limit_turn(pose)
        # The warp is fitted to a pose whose lids and jaw line are restricted, the skull to the pose as given.
        warp_pose = self._warp_pose(pose)
        motion = self.parallax.fit(warp_pose)
        retreat = self.border.retreat(motion.box(), motion.trace_back)
        pose = pose + retreat
        shapes = [opening.shape(pose) for opening in self.openings]
        box, source = self._sources(warp_pose + retreat, motion.shifted(retreat), shapes)
        result = self.picture.copy()
        if box:
            self.still.remap(source, result[box.slices])
        back = Similarity.fit(self.pose[self.rigid], pose[self.rigid]).power(-1)
        skull = SkullMotion(back, back(pose[self.rigid]) - self.pose[self.rigid])
        for shape, layer in zip(shapes, self.layers, strict=True):
            if box := layer.box(shape).clip(self.picture_box):
                part = result[box.slices][..., :3]
                painted = part.astype(np.float32)
                for colors, mask in layer.paint(self.colors, shape, skull, box):
                    painted = blend(painted, colors, mask)
                part[...] = np.rint(painted)
        return result

    def _layer(self, opening: Opening) -> OpeningLayer:
        kind = MouthLayer if opening.name == MOUTH else EyeLayer
        return kind(opening.shape(self.pose), self.pose[self.rigid], self.colors)

    def _warp_pose(self, pose: ComplexPoints) -> ComplexPoints:
        """Return the pose to which pixels are moved, where nothing slides under other parts; layers draw the lids."""
        for opening in self.openings:
            if opening.name != MOUTH:
                pose = open_lids(opening, self.pose, pose)
        return self.parallax.keep_jaw_outside(pose)

    def _all_but(self, excluded: set[int]) -> npt.NDArray[np.intp]:
        return np.array([point for point in range(len(self.pose)) if point not in excluded], dtype=np.intp)

    def _sources(self, pose: ComplexPoints, motion: HeadMotion, shapes: list[OpeningShape]) -> tuple[Box, SourceMap]:
        """Return the area that changes, and where its pixels come from ``[h, w]``."""
        grid, flow, residual = self._smooth_flow(pose, motion)
        radius = EXACT_RADIUS * self.head.face
        # Landmarks of the lips are closer together than those of the jaw.
        step = max(1, round(self.head.face / EXACT_NODES))
        near = Grid.covering(Box.around(pose, radius).clip(self.picture_box), step)
        (above, _), (below, _) = interpolate(pose, residual, near, radius, [self.above, self.below])
        # Away from all openings both views are the same, so that no seam is seen.
        below = above + _windows(shapes, near.nodes()) * (below - above)
        # Most pixels of a still background need no remapping.
        box = grid.support(flow).union(near.box).clip(self.picture_box)
        source = grid.upsample(flow)[box.within(grid.box)]
        for positions in box.axes:
            source += positions
        shared = near.box.clip(box)
        moved = near.upsample(above)
        np.copyto(moved, near.upsample(below), where=_below(shapes, near.box))
        source[shared.within(box)] += moved[shared.within(near.box)]
        self.border.pin(source, box)
        return box, source

    def _smooth_flow(self, pose: ComplexPoints, motion: HeadMotion) -> tuple[Grid, ComplexPoints, ComplexPoints]:
        """Return a grid around what moves, smooth displacements on it, and what they lack at the landmarks ``[P]``."""
        face = self.head.face
        radius = SMOOTH_RADIUS * face
        step = max(1, round(face / SMOOTH_NODES), -(-max(self.picture_box.size) // MAX_NODES))
        box = motion.box().union(Box.around(pose, radius))
        # The outermost nodes do not move; at the picture's border, interpolation needs two nodes beyond it.
        grid = Grid.covering(box.grow(step).clip(self.picture_box.grow(2 * step)), step)
        nodes = grid.nodes()
        points = np.concatenate([nodes.ravel(), pose.astype(np.complex64)])
        by_head = motion.trace_back(points)
        residual = self.pose - by_head[-len(pose) :]
        ((smooth, at_pose),) = interpolate(pose, residual, grid, radius, [self._all_but(set())], ridge=SMOOTH_RIDGE)
        flow = by_head[: -len(pose)].reshape(nodes.shape) - nodes + smooth
        return grid, flow, residual - at_pose


def _windows(shapes: list[OpeningShape], points: ComplexPoints) -> Weights:
    """Return 1 around openings, 0 from three quarters of their widths on."""
    radii = [np.abs(points - complex(shape.middle.mean())) / max(shape.width / 2, 1.0) for shape in shapes]
    windows: Weights = smoothstep((1.5 - np.minimum.reduce(radii)) / 0.5)
    return windows


def _below(shapes: list[OpeningShape], box: Box) -> npt.NDArray[np.bool_]:
    """Return which pixels ``[h, w]`` of a box lie below the middle line of an opening, with all that differs there."""
    outlines = []
    for shape in shapes:
        # Pixels that an outline touches are filled, too, so the line is half a pixel lower.
        line, unit = shape.middle + 0.5j * shape.across, shape.width * shape.across
        left, right = line[0] - 0.4 * unit, line[-1] + 0.4 * unit
        outlines.append(np.concatenate([line, [right, right + 0.9j * unit, left + 0.9j * unit, left]]))
    return fill(outlines, box) > 0
