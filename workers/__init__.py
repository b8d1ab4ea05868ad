"""Thin edges: dramatiq actors and the dialer links. Ids come in, verbs of `calling/` do the work."""
