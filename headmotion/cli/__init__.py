"""The command line. Every command is one call of the Python API; torch is imported inside the commands that need it."""

from .main import cli, main

__all__ = ["cli", "main"]
