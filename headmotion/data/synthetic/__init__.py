"""Synthetic corpora whose truth is known."""
