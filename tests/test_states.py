"""The pictures in docs/states.md have every edge there is: a customer's life, and a lease's."""

import re
from pathlib import Path

from models.tables.assignments import PLACEMENT_STATES
from models.tables.leases import ENDINGS, LEASE_STATES

STATES = (Path(__file__).parent.parent / "docs" / "states.md").read_text()
CUSTOMERS, LEASES = re.findall(r"```mermaid\n(.*?)```", STATES, re.DOTALL)
EDGES = """
    ready>leased leased>ready leased>resting leased>follow_up leased>closed resting>ready resting>leased
    follow_up>leased follow_up>ready follow_up>resting follow_up>closed closed>ready
    any>follow_up any>closed any>left any>anonymised
"""


def test_every_edge_of_the_design_is_drawn() -> None:
    """And two that it lacks: a promise that is taken back. Planted: giving back to resting, and by hand, as
    they were missing."""
    drawn = set(re.findall(r"(\w+) --> (\w+)", CUSTOMERS))
    assert drawn == {tuple(edge.split(">")) for edge in EDGES.split()}
    assert {state for edge in drawn for state in edge} - {"any"} == set(PLACEMENT_STATES)


def edges_of_leases() -> set[tuple[str, str]]:
    """The steps of a lease as they are drawn: from where, and to where; or, where it ends, how."""
    return {
        (before, word)
        for before, after, how in re.findall(r"(\w+) --> (\w+): (.*)", LEASES)
        for word in (how.split(", ") if after == "ended" else [after])
    }


def test_every_state_and_ending_of_a_lease_is_drawn_and_told() -> None:
    """That each step is taken, and no other, is driven in test_leases_drive.py."""
    drawn = edges_of_leases()
    assert {state for edge in drawn for state in edge} | {"ended"} == {*LEASE_STATES, *ENDINGS}
    table = STATES[STATES.index("| ended by |") :].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(ENDINGS)
