"""Facets: all dimensions under three filters, beside a bare pass over the same bytes, or SQL by hand."""

import numpy as np
from sqlalchemy import text

from benchmarks.figures import Figure, cost, in_turns, seconds
from benchmarks.floor import NOON, Floor, lay
from models.work import Work
from segmentation.facets import BORDER, Filters, board_of, facets
from segmentation.facets.cache import FacetCache
from segmentation.facets.columns import Columns
from wiring.app import App

ROUNDS = 9
FILTERS: Filters = {
    "job": ["student", "retired", "services"],
    "attempts": [0, 1, 2, 3],
    "place": ["PT", "ES"],
}
CHANGED = 200

# The floor's customers are all alike in what calls do to them: here they are not.
_SPREAD = text("""
    update placement p set attempts = abs(hashint8(customer_id)::bigint) % 9,
           status = (array['new', 'no_answer', 'busy', 'machine', 'sale'])
                    [abs(hashint8(customer_id + 1)::bigint) % 5 + 1]
     where crm_id = :crm_id
""")
_PLACES = text("""
    update customer set place = (array['PT', 'ES', 'FR', 'NO'])[abs(hashint8(id + 2)::bigint) % 4 + 1]
     where crm_id = :crm_id
""")
_TOUCH = text("""
    update placement set attempts = attempts where crm_id = :crm_id and assignment_id = :assignment_id
       and customer_id in (select customer_id from placement where crm_id = :crm_id limit :n)
""")
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
    floor = lay(app, rows)
    with app.work(floor.crm_id, now=NOON) as work:
        work.session.connection().exec_driver_sql("set local statement_timeout = 0")
        work.run(_SPREAD)
        work.run(_PLACES)
    floor.tidy()
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
    changed, _ = in_turns(lambda: _ask(floor), lambda: None, rounds, between=lambda: _touch(floor))
    limit = "bincount of the same words, nothing else"
    return [
        cost("facets", mine, best, limit),
        cost("facets, the cache is loaded", loading, best, limit),
        cost(f"facets, {CHANGED} customers changed", changed, best, limit),
    ]


def _ask(floor: Floor) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        facets(work, floor.assignment_id, FILTERS)


def _touch(floor: Floor) -> None:
    with floor.app.work(floor.crm_id, now=NOON) as work:
        work.run(_TOUCH, assignment_id=floor.assignment_id, n=CHANGED)


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
