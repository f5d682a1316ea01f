"""What a server counts and measures, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

DELAYS_S = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5, 1, 2)
"""Bounds of the histograms of times (seconds)."""


class ServerMetrics:
    """Metrics of one server; each server has its own registry."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()

        def counter(name: str, description: str, *labels: str) -> Counter:
            return Counter(f"headmotion_{name}", description, labels, registry=registry)

        self.connections = Gauge("headmotion_connections", "Network connections", registry=registry)
        self.sessions = Gauge(
            "headmotion_sessions", "Sessions whose client is present or absent", ["client"], registry=registry
        )
        self.opened = counter("sessions_opened", "Sessions that were opened", "model")
        self.resumed = counter("sessions_resumed", "Sessions whose client came back")
        self.ended = counter("sessions_ended", "Sessions that ended", "reason")
        self.refused = counter("refused", "Connections and requests that were refused", "reason")
        self.samples = counter("audio_seconds", "Speech that was received", "model")
        self.files = counter("files", "Whole files that were processed", "model")
        self._frames = counter("frames", "Frames that were generated", "model")
        self._stepped = counter("stepped_sessions", "Sessions that steps advanced", "model")
        self._delay = Histogram(
            "headmotion_frame_delay_seconds",
            "From the arrival of the samples that complete a frame to the frame, which can be sent then",
            ["model"],
            buckets=DELAYS_S,
            registry=registry,
        )
        self._step = Histogram(
            "headmotion_step_seconds", "Time of a step of all sessions", ["model"], buckets=DELAYS_S, registry=registry
        )

    def observe_step(self, model: str, seconds: float, sessions: int) -> None:
        """Count a step of a model."""
        self._step.labels(model).observe(seconds)
        self._stepped.labels(model).inc(sessions)

    def observe_frames(self, model: str, frames: int, delay_s: float) -> None:
        """Count new frames of a session, and the time since the arrival of its newest processed samples."""
        self._frames.labels(model).inc(frames)
        self._delay.labels(model).observe(delay_s)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
