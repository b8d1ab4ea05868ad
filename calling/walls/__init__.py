"""Pause and do-not-call: from the answer on, nothing passes."""
