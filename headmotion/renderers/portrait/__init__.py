"""A still picture of a face, warped by the motion."""
