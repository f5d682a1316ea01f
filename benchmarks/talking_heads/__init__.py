"""Talking heads compared: one command measures any number of renderers on the same clips by the same protocol."""
