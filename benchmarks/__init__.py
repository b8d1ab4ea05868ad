"""What it costs, beside the physical limit measured in the same run.

A ratio is our cost divided by the limit's: 1 is perfect, larger is slower. Run on an empty database only.
"""

from benchmarks.figures import Figure
from benchmarks.names import NAMES, run

__all__ = ["NAMES", "Figure", "run"]
