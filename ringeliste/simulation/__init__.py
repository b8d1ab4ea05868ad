"""Simulation: days of calling in a minute or two, by the very functions that real days run on (design 5.10).

A planning tool: how far does this list last with these sellers? And a hard test of the promises.
"""

from ringeliste.simulation.apart import simulate
from ringeliste.simulation.playing import play
from ringeliste.simulation.results import SimulationReport

__all__ = ["SimulationReport", "play", "simulate"]
