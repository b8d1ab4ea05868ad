"""Facets: how many customers have each value, under the filters of all other dimensions (docs/facets.md)."""

from segmentation.facets.as_rule import as_rule, cannot_ask
from segmentation.facets.board import Board
from segmentation.facets.boards import BORDER, board_of, cached, check_drift, facets, follow, to_follow
from segmentation.facets.changes import prune
from segmentation.facets.values import EMPTY, Bar, Empty, Facets, FacetValue, Filters, Others, Range

__all__ = [
    "BORDER", "EMPTY", "Bar", "Board", "Empty", "FacetValue", "Facets", "Filters", "Others", "Range",
    "as_rule", "board_of", "cached", "cannot_ask", "check_drift", "facets", "follow", "prune", "to_follow",
]  # fmt: skip
