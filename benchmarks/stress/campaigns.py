"""All campaigns."""

from __future__ import annotations

from pathlib import Path

from .case import Campaign
from .clients import ClientsCampaign
from .files import FilesCampaign
from .hooks import HooksCampaign
from .hours import HoursCampaign
from .kills import KillsCampaign
from .options import OptionsCampaign
from .pairs import PairsCampaign
from .parts import PartsCampaign
from .streams import StreamsCampaign


def campaigns(inputs: Path) -> list[Campaign]:
    """Return the campaigns, in the order of their turns; ``inputs`` is the folder that `trees.make` writes."""
    kills = KillsCampaign(inputs)
    return [
        FilesCampaign(inputs),
        OptionsCampaign(inputs),
        HooksCampaign(inputs),
        PartsCampaign(inputs),
        kills,
        PairsCampaign(kills),
        ClientsCampaign(inputs),
        StreamsCampaign(inputs),
        HoursCampaign(inputs),
    ]
