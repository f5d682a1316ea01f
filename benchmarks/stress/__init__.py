"""The project's own campaign: seeded cases that try to break every reader, command, option and hook."""
