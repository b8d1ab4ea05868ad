"""The planner is told when tables have grown.

A session keeps its plans until the next ANALYZE: one made while a table was nearly empty reads all of the
grown table for every customer, and autovacuum comes a while later.
"""

from sqlalchemy import text

from models.work import OpenWork

MANY = 500
"""Rows that came at once, and make old plans worth throwing away."""

_COUNT = text("select count_customers_anew()")


def note_growth(open_work: OpenWork, rows: int) -> None:
    """Have customers, their numbers and placements counted anew after many `rows` came; every session plans
    afresh. Takes a second at a million. Who cannot wait for another's counting leaves it to autovacuum."""
    if rows >= MANY:
        with open_work() as work:
            work.run(_COUNT)
