"""The goals of speed and memory, measured: one function per goal, figures in one file, a page made from it."""
