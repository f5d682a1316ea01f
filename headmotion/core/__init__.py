"""Ground floor: what every plugin builds on. Imports nothing else of headmotion."""
