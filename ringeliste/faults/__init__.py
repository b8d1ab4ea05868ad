"""Deterministic simulation with faults, as FoundationDB and TigerBeetle are tested.

A seed plays half an hour of calling by the real verbs on the real database, and at every boundary
(transaction, port, message) something may go wrong. Who broke a promise is told with the seed and the step;
the same seed comes to the same step again.
"""

from ringeliste.faults.playing import Verdict, play

__all__ = ["Verdict", "play"]
