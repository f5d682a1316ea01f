"""Synthetic corpora whose ground truth is known."""
