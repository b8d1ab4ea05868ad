"""The portrait of a segment: who is in it, what sets them apart from everybody, when they answer."""

from segmentation.portrait.calls import MOST_CALLS, PERIOD, Calls, Worked
from segmentation.portrait.drawing import Portrait, Standout, portrait
from segmentation.portrait.numbers import SAMPLE, NumberFigures

__all__ = [
    "MOST_CALLS", "PERIOD", "SAMPLE", "Calls", "NumberFigures", "Portrait", "Standout", "Worked", "portrait",
]  # fmt: skip
