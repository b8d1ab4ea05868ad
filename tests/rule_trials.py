"""Random rules tried on random customers, in transactions that are never kept."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from random import Random

from rule_strategies import OWN
from world import World

from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.ids import time_ordered_id
from models.work import OpenWork, Work
from wiring.app import enter_crm


def own_fields(world: World) -> None:
    """The CRM gets the fields that random rules ask."""
    for key, kind in OWN.items():
        world.field(key, kind)


@contextmanager
def never_kept(world: World, now: datetime) -> Iterator[OpenWork]:
    """Every transaction of a verb is part of one that is rolled back."""
    with world.app.shared() as session:
        enter_crm(session.connection(), world.crm_id)
        work = Work(session, world.crm_id, now, lambda at: time_ordered_id(at, Random(1)))
        yield lambda: nullcontext(work)
        session.rollback()


def rebuild_all(open_work: OpenWork) -> int:
    """Carry out whatever is to be rebuilt; how many moved."""
    return sum(run_rebuild(open_work, one).moved for one in rebuilds_to_do(open_work))
