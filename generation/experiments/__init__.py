"""Experiments on real work: which arm a unit is given, what became of it, and how sure one can be of a difference."""
