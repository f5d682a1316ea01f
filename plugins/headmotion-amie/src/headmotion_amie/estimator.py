"""The asymmetric mutual information estimator (AMIE): a loss that learns on recorded pairs, and guides frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

import headmotion as hm

from .bounds import BOUNDS, pair_scores, positive_part
from .specs import EstimatorSpec
from .speech import CONTEXT
from .statistics_network import StatisticsNetwork

NAME = "loss amie/estimator"


class Estimator(hm.Loss):
    """``theta <- argmax I_theta(F, A)`` on recorded pairs, ``G <- argmax I_theta(G(A), A)`` with the same ``theta``.

    Source: the paper, section 3.2. With `EstimatorSpec.estimator`, an estimator of an earlier phase guides, and is not
    trained further.
    """

    audio_context = CONTEXT

    def __init__(self, spec: EstimatorSpec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        self.needs = frozenset({spec.track, "audio", "motion"})
        self.uses = () if spec.estimator is None else (spec.estimator,)
        self.network = StatisticsNetwork(spec, context, NAME) if spec.estimator is None else None
        # In a list, which hides it: the result of an earlier phase is no part of this loss's state.
        self._pretrained: list[StatisticsNetwork] = []

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        """Take the estimator of an earlier phase.

        Raises:
            SpecError: another part, or an estimator of another track.
        """
        for name in self.uses:
            part = parts[name]
            if not isinstance(part, StatisticsNetwork) or part.spec.track != self.spec.track:
                track = f" of {part.spec.track}" if isinstance(part, StatisticsNetwork) else ""
                expected = f"an estimator of {self.spec.track} under the name {name!r}"
                raise hm.SpecError(NAME, expected, f"a {type(part).__name__}{track}", "set track and estimator")
            self._pretrained = [part]

    def objective(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        """Return minus the bound on recorded pairs, or on generated ones if the variant is symmetric."""
        if self.network is None:
            return {}
        pairs = real if self.spec.asymmetric else generated
        return {"information_loss": -self.estimate(self.network, pairs)}

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        """Return minus the bound on generated pairs, as ``information_loss``, times its weight."""
        network = self._pretrained[0] if self.network is None else self.network
        with evaluating(network):
            return {"information_loss": -self.spec.weight * self.estimate(network, generated, self.spec.positive_only)}

    def estimate(self, network: StatisticsNetwork, sample: hm.Sample, positive_only: bool = False) -> Tensor:
        """Return the bound of a sample's pairs, a scalar; pairs that do not belong together are of the same clip.

        Args:
            network: scores the pairs.
            sample: at least two frames.
            positive_only: leave out the term of pairs that do not belong together.

        Raises:
            TrainingError: a single frame.
        """
        if sample.motion.shape[1] < 2:
            raise hm.TrainingError(NAME, "clips of two frames or more, to form pairs", "one frame", "raise frames")
        joint, marginal = pair_scores(network(sample))
        if positive_only:
            return positive_part(self.spec.bound, joint)
        return BOUNDS[self.spec.bound](joint, marginal)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Keep a network's running means as they are, so that generated samples do not change them."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def shifted_bounds(network: StatisticsNetwork, sample: hm.Sample, bound: str, shifts: int) -> Tensor:
    """Return the bound for speech that is shifted against the frames, ``[2 * shifts + 1]`` from ``-shifts`` on.

    Pairs that do not belong together are the same for all shifts: those of all other frames.

    Args:
        network: scores the pairs.
        sample: more than ``shifts`` frames.
        bound: ``js`` or ``dv``.
        shifts: largest shift (frames); positive is speech that comes later.
    """
    scores = network(sample)
    marginal = pair_scores(scores)[1]
    values = [BOUNDS[bound](scores.diagonal(shift, dim1=1, dim2=2), marginal) for shift in range(-shifts, shifts + 1)]
    return torch.stack(values)
