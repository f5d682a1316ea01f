"""Rigid and similarity fits, rotations and kinematics: one implementation of each."""
