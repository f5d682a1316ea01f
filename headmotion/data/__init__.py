"""Training data: corpora on disk, their inspection, and synthetic corpora."""
