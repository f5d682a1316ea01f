"""Pipelines: speech and a reference in, motion and video out, whole or as a stream."""
