"""What publishing a rule set would do, before it does; and how many one rule finds while it is written."""

from segmentation.preview.looking import PREVIEW_SECONDS, WARN_ABOVE, count_matching, preview
from segmentation.preview.values import Cell, Count, HeldElsewhere, LabelForecast, Preview, SegmentForecast

__all__ = [
    "PREVIEW_SECONDS",
    "WARN_ABOVE",
    "Cell",
    "Count",
    "HeldElsewhere",
    "LabelForecast",
    "Preview",
    "SegmentForecast",
    "count_matching",
    "preview",
]
