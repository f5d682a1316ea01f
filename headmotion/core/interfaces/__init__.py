"""Interfaces: one file per kind of part, with the capabilities that a part may declare."""
