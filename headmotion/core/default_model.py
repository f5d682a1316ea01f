"""The model that is used where none is named; read by the command line before any package is imported."""

DEFAULT_MODEL = "causal-flow"
