"""Headmotion's own parts pass the checks that it offers to others."""

import pytest

from headmotion.core.plugins import registry
from headmotion.core.spec import spec_from
from headmotion.testing import check_component

ARM = {"type": "joint-positions", "names": ("shoulder", "left_elbow", "right_elbow"), "parents": (-1, 0, 0)}
BODY = {
    "type": "joints",
    "names": ("hips", "left_leg", "right_leg"),
    "parents": (-1, 0, 0),
    "offsets": ((0, 0, 0), (1, -9, 0), (-1, -9, 0)),
}
BESIDE = {"type": "landmarks68", "dims": 3}
VARIANTS = [
    ("representation", ARM),
    ("representation", BODY),
    ("representation", BESIDE),
    ("representation", {"type": "keypoints", "jacobians": True}),
    ("audio_encoder", {"type": "log-mel", "window_shape": "hann", "preemphasis": 0.0}),
    ("generator", {"type": "ms-sync", "preset": "small"}),
    ("generator", {"type": "ms-sync", "preset": "small", "interpolation": "linear", "initial_state": "zeros"}),
    ("generator", {"type": "ms-sync", "preset": "small", "interpolation": "align-corners"}),
    ("syncer", {"type": "ms-sync", "preset": "small"}),
    ("discriminator", {"type": "ms-sync", "preset": "small"}),
]
SLOW = {("generator", "ms-sync"), ("syncer", "ms-sync"), ("discriminator", "ms-sync")}  # small ones stand for them
FOR_DEPTH = [("metric", "lmd-frontal")]
# By weights or syncers of the user's own, which must be named.
OF_USERS = {("metric", name) for name in ("fid", "t-fid", "fvd", "av-sync", "frechet-syncers")}
DEFAULTS = [
    key
    for record in registry().records
    if record.dist == "headmotion"
    for key in (tuple(offered.split(":")) for offered in record.types)
    if key not in SLOW and not any(field.is_required() for field in registry().resolve(*key).model_fields.values())
]


@pytest.mark.parametrize(("kind", "described"), [*DEFAULTS, *VARIANTS], ids=str)
def test_conforms(kind, described):
    beside = {"representation": BESIDE} if (kind, described) in FOR_DEPTH else {}
    check_component(spec_from(kind, described), **beside)


@pytest.mark.parametrize("kind", ["generator", "syncer", "discriminator"])
def test_ms_sync_conforms_beside_another_representation(kind):
    check_component(spec_from(kind, {"type": "ms-sync", "preset": "small"}), representation=ARM)


def test_every_own_part_is_checked():
    checked = {*DEFAULTS, *((kind, each["type"]) for kind, each in VARIANTS)}
    assert {key for key, owner in registry().owners.items()} >= checked
    own = {tuple(t.split(":")) for record in registry().records if record.dist == "headmotion" for t in record.types}
    assert checked | OF_USERS == own
