"""Facets: all dimensions under three filters, beside a bare pass over the same bytes, or SQL by hand.

And what changed: how long until it is in, beside the same placements read by key, by hand.
"""

from functools import partial
from math import inf
from typing import Any

import numpy as np
from sqlalchemy import text

from benchmarks.figures import Figure, cost, in_turns, seconds
from benchmarks.floor import NOON, Floor, lay
from models.work import Work
from segmentation.facets import BORDER, Filters, Range, board_of, facets
from segmentation.facets.cache import FacetCache
from segmentation.facets.columns import Columns
from wiring.app import App

ROUNDS = 9
FILTERS: Filters = {
    "job": ["student", "retired", "services"],
    "attempts": [0, 1, 2, 3],
    "place": ["PT", "ES"],
}
CHANGED = (200, 2_000, 20_000, 200_000)
"""Placements that changed, and were not read yet; no more of them than one in `SHARE`."""
SHARE = 5
FEW, MANY_ROUNDS = 2_000, 3  # more changed placements than these are measured in so many rounds

_SCATTERED = text("""
    select array(select customer_id from placement where crm_id = :crm_id and assignment_id = :assignment_id
                  order by hashint8(customer_id), customer_id limit :n)
""")
_TOUCH = text("""
    update placement set attempts = attempts
     where crm_id = :crm_id and assignment_id = :assignment_id and customer_id = any(:customers)
""")
_BY_KEY = """
    copy (select p.customer_id, p.segment_id, p.status, p.state, p.attempts, p.last_outcome, p.labels
            from unnest(%(customers)s::bigint[]) listed(id)
            join placement p on p.crm_id = %(crm_id)s and p.customer_id = listed.id
           where p.assignment_id = %(assignment_id)s and p.state not in ('left', 'anonymised'))
      to stdout (format binary)
"""
# What somebody who knows the data would write for the same ten histograms.
_BY_HAND = text("""
    select grouping(segment_id, status, state, attempts, place, zone, job, loan, age, balance) as which,
           segment_id, status, state, attempts, place, zone, job, loan, age, balance,
           count(*) filter (where f1 and f2 and f3), count(*) filter (where f2 and f3),
           count(*) filter (where f1 and f3), count(*) filter (where f1 and f2), count(*)
      from (select p.segment_id, p.status, p.state, least(p.attempts, 10) as attempts, c.place,
                   c.reckoning_zone as zone, c.fields->>'job' as job, c.fields->>'loan' as loan,
                   width_bucket((c.fields->>'age')::numeric, 20, 85, 13) as age,
                   width_bucket((c.fields->>'balance')::numeric, 0, 16000, 8) as balance,
                   c.fields->>'job' in ('student', 'retired', 'services') as f1, p.attempts <= 3 as f2,
                   c.place in ('PT', 'ES') as f3
              from placement p join customer c on c.crm_id = :crm_id and c.id = p.customer_id
             where p.crm_id = :crm_id and p.assignment_id = :assignment_id
               and p.state not in ('left', 'anonymised') offset 0) t
     group by grouping sets (segment_id, status, state, attempts, place, zone, job, loan, age, balance)
""")


def measure(app: App, rows: int, rounds: int = ROUNDS) -> list[Figure]:
    """The rung that so many placements have; above the border also how a change gets in."""
    floor = lay(app, rows, varied=True)
    return _by_cache(floor, rounds) if rows >= BORDER else _by_sql(floor, rounds)


def _by_sql(floor: Floor, rounds: int) -> list[Figure]:
    def by_hand() -> None:
        with floor.app.work(floor.crm_id, now=NOON) as work:
            work.run(_BY_HAND, assignment_id=floor.assignment_id).all()

    mine, best = in_turns(lambda: _ask(floor), by_hand, rounds)
    return [cost("facets by SQL", mine, best, "ten dimensions in one SELECT by hand")]


def _by_cache(floor: Floor, rounds: int) -> list[Figure]:
    loading = [seconds(lambda: _ask(floor))]
    columns = _columns(floor)
    mine, best = in_turns(lambda: _ask(floor), lambda: bare(columns), rounds)
    barless: Filters = {**FILTERS, "age": [Range(21, 33)]}
    first = [seconds(lambda: _ask(floor, barless))]
    again, _ = in_turns(lambda: _ask(floor, barless), lambda: None, rounds)
    limit = "bincount of the same words, nothing else"
    return [
        cost("facets", mine, best, limit),
        cost("facets, the cache is loaded", loading, best, limit),
        cost("facets, a fourth filter that is no bar: first", first, best, limit),
        cost("facets, a fourth filter that is no bar: again", again, best, limit),
        *_changed(floor, rounds),
    ]


def _changed(floor: Floor, rounds: int) -> list[Figure]:
    """How long until a cache has in what changed, all of it."""
    figures = []
    with floor.app.work(floor.crm_id, now=NOON) as work:
        cache = FacetCache.load(work, floor.assignment_id, board_of(work, floor.assignment_id).frame(work))
        cache.load_seconds = inf  # it shall read them, whatever is faster
    for n in (n for n in CHANGED if n * SHARE <= floor.rows):
        with floor.app.work(floor.crm_id, now=NOON) as work:
            customers = list(work.run(_SCATTERED, assignment_id=floor.assignment_id, n=n).scalar_one())
        customers.sort()
        mine, best = in_turns(
            partial(_refresh, floor, cache), partial(_by_key, floor, customers),
            rounds if n <= FEW else min(rounds, MANY_ROUNDS), between=partial(_touch, floor, customers),
        )  # fmt: skip
        figures.append(cost(f"facets, {n:,} placements changed", mine, best, "their columns by key, by hand"))
    return figures


def _ask(floor: Floor, filters: Filters = FILTERS) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        facets(work, floor.assignment_id, filters)


def _refresh(floor: Floor, cache: FacetCache) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        cache.refresh(work)


def _touch(floor: Floor, customers: list[int]) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        work.session.connection().exec_driver_sql("set local statement_timeout = 0")
        work.run(_TOUCH, assignment_id=floor.assignment_id, customers=customers)


def _by_key(floor: Floor, customers: list[int]) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        driver: Any = work.session.connection().connection.driver_connection
        asked = {"crm_id": floor.crm_id, "assignment_id": floor.assignment_id, "customers": customers}
        with driver.cursor().copy(_BY_KEY, asked) as copy:
            for _ in copy:
                pass


def _columns(floor: Floor) -> Columns:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        return loaded(work, floor.assignment_id)


def loaded(work: Work, assignment_id: int) -> Columns:
    """The arrays as the cache has them."""
    frame = board_of(work, assignment_id).frame(work)
    return FacetCache.load(work, assignment_id, frame).columns


def bare(columns: Columns) -> None:
    """One histogram of each word."""
    for word, size in zip(columns.words, columns.packing.sizes, strict=True):
        np.bincount(word, minlength=size)
