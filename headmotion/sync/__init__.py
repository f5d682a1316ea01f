"""Synchrony of audio and motion: pyramids, offset and confidence, trained syncers as a judge."""
