"""Training data: corpora on disk, and a synthetic corpus whose truth is known."""
