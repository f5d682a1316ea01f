"""Checks of detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, pairwise

import numpy as np
import torch
from torch import Tensor

from ...core.errors import DetectorError
from ...core.interfaces.detector import Detection, Detector, SupportsLabels, SupportsRepresentations
from ...core.interfaces.renderer import Picture
from ...core.interfaces.representation import SupportsPoints2D, has_place
from ...core.interfaces.specs import resolve_spec
from ..build_context import Subject
from ..inputs import assert_close, picture, portrait
from ..kit import NotApplicable, check

PICTURES: Mapping[str, Callable[[], Picture]] = {
    "a photograph": portrait,
    "a gradient": picture,
    "a small picture": lambda: np.ascontiguousarray(picture()[:16, :24]),
    "a black picture": lambda: np.zeros((64, 80, 3), np.uint8),
}


@check("detector", 1, "Return a list per picture of Detection(pose [P, D], box, score); an empty one for no detection.")
def detector_returns_a_list_per_picture(subject: Subject) -> None:
    """Each picture has its list of detections, perhaps empty: finite poses ``[P, D]``, boxes, and scores in 0..1."""
    representation = subject.context.representation
    for name, detections in _detect_all(subject)[1].items():
        for detection in detections:
            pose, (left, top, right, bottom) = detection.pose, detection.box
            assert isinstance(pose, Tensor) and pose.dim() == 2, f"{name}: a pose {list(np.shape(pose))}, not [P, D]"
            fits = pose.shape[0] == representation.points and pose.shape[1] >= representation.dims
            assert fits, f"{name}: a pose of the shape {list(pose.shape)}"
            assert pose.is_floating_point() and pose.isfinite().all(), f"{name}: a pose that is not finite"
            assert np.isfinite(detection.box).all() and left <= right and top <= bottom, f"{name}: {detection.box}"
            assert 0 <= detection.score <= 1, f"{name}: a score of {detection.score}"


@check("detector", 2, "Scale what the network returns by the picture's size; the unit frame is for generators only.")
def detector_gives_pixels(subject: Subject) -> None:
    """Poses are in pixels of the picture: they overlap their box, and are not tiny beside it."""
    representation = subject.context.representation
    found = [(name, each) for name, detections in _detect_all(subject)[1].items() for each in detections]
    if not found or not isinstance(representation, SupportsPoints2D) or not has_place(representation):
        raise NotApplicable("it detects no points in the kit's pictures")
    for name, detection in found:
        if detection.pose.shape[0] != representation.points:  # another check is about that
            continue
        points = representation.to_points2d(detection.pose[..., : representation.dims])
        low, high = points.amin(0), points.amax(0)
        box = torch.tensor(detection.box).view(2, 2)
        overlaps = bool((low <= box[1]).all() and (high >= box[0]).all())
        # A face fills half of its box or more; poses of the unit frame are some hundred times smaller.
        large = float((high - low).max()) >= 0.1 * float((box[1] - box[0]).max())
        corners = [round(edge, 2) for edge in (*low.tolist(), *high.tolist())]
        assert overlaps and large, f"{name}: a pose in {corners}, but the box {detection.box}"


@check("detector", 1, "Let no layer mix the pictures of a batch; pad or crop each to the network's size by itself.")
def detector_pictures_are_independent(subject: Subject) -> None:
    """The detections in a picture are the same with other pictures and by itself; no pictures give no lists."""
    detector, together = _detect_all(subject)
    assert detector.detect([]) == [], "no pictures give lists"
    for name, make in PICTURES.items():
        (single,) = detector.detect([make()])
        counts = len(together[name]), len(single)
        assert counts[0] == counts[1], f"{name}: {counts[0]} detections in a batch, {counts[1]} by itself"
        for batched, alone in zip(together[name], single, strict=True):
            # Parts of a pixel, because a batch is rounded differently in deep networks.
            assert_close(batched.pose, alone.pose, f"{name} by itself", 0.1)


@check("detector", 2, "Sort the detections by the area of their boxes, largest first.")
def detector_sorts_by_size(subject: Subject) -> None:
    """Detections are in the order of their size in the picture, the largest first."""
    detections_by_picture = {name: detections for name, detections in _detect_all(subject)[1].items() if detections}
    if not detections_by_picture:
        raise NotApplicable("it detects nothing in the kit's pictures")
    for name, detections in detections_by_picture.items():
        boxes = (detection.box for detection in detections)
        areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
        # Half is tolerated, because detectors may sort by boxes of their own.
        in_order = all(first >= 0.5 * second for first, second in pairwise(areas))
        assert in_order, f"{name}: a far smaller detection comes first"


@check("detector", 2, "Copy the picture before drawing on it or changing its colors.")
def detector_does_not_modify_the_picture(subject: Subject) -> None:
    """The pictures are not written to."""
    detector: Detector = subject.build()
    images = [make() for make in PICTURES.values()]
    _detect(detector, images)
    for image, (name, make) in zip(images, PICTURES.items(), strict=True):
        assert np.array_equal(image, make()), f"{name} has changed"


@check("detector", 2, "Return a float32 tensor [n, N] with one number per name in `label_names`, also for n = 0.")
def detector_labels_its_detections(subject: Subject) -> None:
    """With `SupportsLabels`, any number of detections has finite labels ``[n, N]``, each the same as by itself."""
    detector, detections = _detect_all(subject)
    if not isinstance(detector, SupportsLabels):
        raise NotApplicable("it does not declare SupportsLabels")
    names, all_detections = detector.label_names, [*chain.from_iterable(detections.values())]
    assert names and len(set(names)) == len(names), f"label_names are {names}"
    for subset in ([], all_detections):
        labels = detector.labels(subset)
        assert labels.shape == (len(subset), len(names)), f"{len(subset)} detections have labels {list(labels.shape)}"
        assert labels.is_floating_point() and labels.isfinite().all(), "labels are not finite floating-point numbers"
        for detection, expected in zip(subset, labels, strict=True):
            assert_close(detector.labels([detection])[0], expected, "labels of a single detection")


@check(
    "detector", 2, "Return a float32 tensor [n, P, D] for each type in the spec's `representations`, also for n = 0."
)
def detector_gives_the_representations_it_names(subject: Subject) -> None:
    """With `SupportsRepresentations`, any number of detections has finite poses of each representation of the spec."""
    detector, detections = _detect_all(subject)
    if not isinstance(detector, SupportsRepresentations):
        raise NotApplicable("it does not declare SupportsRepresentations")
    names, all_detections = detector.spec.representations, [*chain.from_iterable(detections.values())]
    assert names, "its spec names no representations"
    for name in names:
        representation = resolve_spec("representation", name).build()
        for subset in ([], all_detections):
            poses = detector.poses_as(subset, representation)
            shape = (len(subset), representation.points, representation.dims)
            assert poses.shape == shape, f"{len(subset)} detections have {name} {list(poses.shape)}"
            assert poses.is_floating_point() and poses.isfinite().all(), f"{name} is not finite"


def _detect_all(subject: Subject) -> tuple[Detector, dict[str, list[Detection]]]:
    """Return the detector, and its detections in each picture, all of which it is given at once."""
    detector: Detector = subject.build()
    return detector, dict(zip(PICTURES, _detect(detector, [make() for make in PICTURES.values()]), strict=True))


def _detect(detector: Detector, images: list[Picture]) -> list[list[Detection]]:
    try:
        detections = detector.detect(images)
    except DetectorError as error:
        raise NotApplicable(f"it does not work on this machine: {error}") from None
    assert len(detections) == len(images), f"{len(detections)} lists of detections for {len(images)} pictures"
    return detections
