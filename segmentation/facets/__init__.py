"""Facets: how many customers have each value, under the filters of all other dimensions (docs/facets.md)."""

from segmentation.facets.board import board_of, check_drift, facets
from segmentation.facets.changes import prune
from segmentation.facets.values import EMPTY, Bar, Empty, Facets, FacetValue, Filters, Others, Range

__all__ = [
    "EMPTY", "Bar", "Empty", "FacetValue", "Facets", "Filters", "Others", "Range",
    "board_of", "check_drift", "facets", "prune",
]  # fmt: skip
