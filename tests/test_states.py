"""The picture of a customer's life in docs/states.md has every edge there is."""

import re
from pathlib import Path

from models.tables.assignments import PLACEMENT_STATES

PICTURE = re.search(
    r"```mermaid\n(.*?)```", (Path(__file__).parent.parent / "docs" / "states.md").read_text(), re.DOTALL
)
EDGES = """
    ready>leased leased>ready leased>resting leased>follow_up leased>closed resting>ready resting>leased
    follow_up>leased follow_up>ready follow_up>resting follow_up>closed closed>ready
    any>follow_up any>closed any>left any>anonymised
"""


def test_every_edge_of_the_design_is_drawn() -> None:
    """And two that it lacks: a promise that is taken back. Planted: giving back to resting, and by hand, as
    they were missing."""
    assert PICTURE is not None
    drawn = set(re.findall(r"(\w+) --> (\w+)", PICTURE[1]))
    assert drawn == {tuple(edge.split(">")) for edge in EDGES.split()}
    assert {state for edge in drawn for state in edge} - {"any"} == set(PLACEMENT_STATES)
