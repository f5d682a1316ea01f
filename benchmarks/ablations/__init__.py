"""Ablations of any recipe: one command trains variants of it with several seeds, and writes what each change does."""
