"""Experiments on the claims of MS-Sync: one command trains, measures and writes docs/results.md."""
