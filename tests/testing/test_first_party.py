"""Headmotion's own parts pass the checks that it offers to others."""

from typing import cast

import pytest

from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.plugins import registry
from headmotion.core.spec import required_fields
from headmotion.pipeline.loading import build
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.testing import check_component
from headmotion.training.recipe import load_recipe
from headmotion.training.specs import ContrastivePhaseSpec
from headmotion.training.syncers_file import save_syncers

ARM = {"type": "joint-positions", "names": ("shoulder", "left_elbow", "right_elbow"), "parents": (-1, 0, 0)}
BODY = {
    "type": "joints",
    "names": ("hips", "left_leg", "right_leg"),
    "parents": (-1, 0, 0),
    "offsets": ((0, 0, 0), (1, -9, 0), (-1, -9, 0)),
}
FACE_3D = {"type": "landmarks68", "dims": 3}
SMALL = {"type": "ms-sync", "preset": "small"}
VARIANTS = [
    ("representation", ARM),
    ("representation", BODY),
    ("representation", FACE_3D),
    ("representation", {"type": "keypoints", "jacobians": True}),
    ("audio_encoder", {"type": "log-mel", "window_shape": "hann", "preemphasis": 0.0}),
    ("generator", {"type": "ms-sync", "preset": "small"}),
    ("generator", {"type": "ms-sync", "preset": "small", "interpolation": "linear", "initial_state": "zeros"}),
    ("generator", {"type": "ms-sync", "preset": "small", "interpolation": "align-corners"}),
    ("syncer", {"type": "ms-sync", "preset": "small"}),
    ("discriminator", {"type": "ms-sync", "preset": "small"}),
    ("phase", {"type": "contrastive", "syncer": SMALL, "pyramid": {"levels": 2}, "frames": 20, "group_size": 4}),
    ("phase", {"type": "adversarial", "discriminator": SMALL, "frames": 20, "losses": ["sync"], "ema_decay": 0.9}),
    ("phase", {"type": "supervised", "trains": "generator", "distance": "l2", "ema_decay": 0.9, "frames": 20}),
]
SLOW = {("generator", "ms-sync"), ("syncer", "ms-sync"), ("discriminator", "ms-sync")}  # small ones stand for them
SLOW |= {("phase", "contrastive"), ("phase", "adversarial")}  # small ones stand for them
# tests/metrics/test_pictures.py checks these, with a quick detector and with weights.
PICTURE_METRICS = {("metric", "lmd-redetected"), ("metric", "lpips")}
NEEDS_FITTING = {("phase", "fit")}  # the default representation has nothing to fit
DEPTH_METRICS = {("metric", "lmd-frontal")}
SYNCER_METRICS = {("metric", name) for name in ("av-sync", "frechet-syncers")}
DEFAULTS = [
    key
    for record in registry().records
    if record.dist == "headmotion"
    for key in (tuple(offered.split(":")) for offered in record.types)
    if key not in SLOW | NEEDS_FITTING | PICTURE_METRICS and not required_fields(registry().resolve(*key))
]


@pytest.mark.parametrize(("kind", "described"), [*DEFAULTS, *VARIANTS], ids=str)
def test_conforms(kind, described):
    spec = resolve_spec(kind, described)
    options = {"representation": FACE_3D} if (kind, spec.type_name()) in DEPTH_METRICS else {}
    check_component(spec, **options)


@pytest.mark.parametrize("kind", ["generator", "syncer", "discriminator"])
def test_ms_sync_conforms_beside_another_representation(kind):
    check_component(resolve_spec(kind, {"type": "ms-sync", "preset": "small"}), representation=ARM)


@pytest.mark.parametrize("name", sorted(name for _, name in SYNCER_METRICS))
def test_metrics_by_syncers_conform(name, tmp_path):
    recipe = load_recipe("smoke")
    phase = cast("ContrastivePhaseSpec", recipe.phases["syncers"])
    context, pyramid = build(recipe.pipeline, device="cpu").context(), Pyramid.of(phase.pyramid)
    syncers = SyncerPyramid([phase.syncer.build(context) for _ in range(pyramid.levels)], pyramid)
    path = tmp_path / "syncers.safetensors"
    save_syncers(path, recipe.pipeline, phase, syncers)
    check_component(resolve_spec("metric", {"type": name, "syncers": str(path)}))


def test_every_own_part_is_checked():
    checked = {*DEFAULTS, *((kind, described["type"]) for kind, described in VARIANTS)}
    assert {key for key, owner in registry().owners.items()} >= checked
    own = {tuple(t.split(":")) for record in registry().records if record.dist == "headmotion" for t in record.types}
    assert checked | SYNCER_METRICS | NEEDS_FITTING | PICTURE_METRICS == own
