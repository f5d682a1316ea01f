"""What the numbers of a motion mean: face landmarks, learned keypoints, body joints."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.licenses import Asset
from ..core.spec import Spec
from .specs import JointPositionsSpec, JointsSpec, KeypointsSpec, Landmarks68Spec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The representations that come with headmotion."""
    return [Landmarks68Spec, KeypointsSpec, JointPositionsSpec, JointsSpec]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """The neutral face."""
    return [
        Asset(
            "landmarks68_neutral.json",
            "CC-BY-4.0",
            "GRID corpus, speaker 1 (Cooke, Barker, Cunningham, Shao 2006; Zenodo record 3625687)",
            note="mean landmarks, made symmetric; license as published, verify before redistributing the media",
        )
    ]
