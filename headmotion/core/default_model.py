"""The model that is used where none is named. A file of its own, because the command line reads it before any package."""

DEFAULT_MODEL = "ms-sync"
