"""The command line. Every command is one call of the Python API; whatever needs torch is imported inside it."""

from .main import cli, main

__all__ = ["cli", "main"]
