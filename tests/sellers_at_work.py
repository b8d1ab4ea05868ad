"""Sellers who work as fast as they can, and what has begun behind a wall that they run into."""

from threading import Event

from sqlalchemy import text
from world import World, wait_until

from calling.handout.hand_out import next_customer
from calling.handout.ring import release, ring
from calling.outcomes.outcome import Report, record_all
from models.errors import BadInput, Conflict
from models.outcomes import Outcome


def snapshot(world: World) -> dict[str, tuple[str, bool]]:
    """Every lease: how far it has come."""
    with world.work() as work:
        rows = work.run(text("select id, state, rung_at from lease"))
        return {str(row.id): (row.state, row.rung_at is not None) for row in rows}


def begun_behind(before: dict[str, tuple[str, bool]], after: dict[str, tuple[str, bool]]) -> list[str]:
    """What was offered, taken or rung after `before` was read: by versions, not by clocks."""
    return [
        lease
        for lease, (state, rung) in after.items()
        if lease not in before
        or (rung and not before[lease][1])
        or (state, before[lease][0]) == ("taken", "offered")
    ]


def hand_outs(world: World, seller: int, stopping: Event, turns: dict[int, int]) -> None:
    """A seller who asks, rings or gives back, over and over, as fast as they can."""
    while not stopping.is_set():
        try:
            handed = next_customer(world.opener(), seller)
            if handed is not None:
                with world.work() as work:
                    if turns[seller] % 3 == 0:
                        ring(work, handed.lease_id, seller)
                with world.work() as work:
                    release(work, handed.lease_id, seller)
        except BadInput:  # it has rung
            assert handed is not None
            record_all(world.opener(), [Report(handed.lease_id, Outcome.NO_ANSWER, "seller")])
        except Conflict:
            pass
        turns[seller] += 1


def wait_turns(turns: dict[int, int], more: int) -> None:
    """Until every seller has been round `more` times again."""
    goal = {seller: turn + more for seller, turn in turns.items()}
    wait_until(lambda: all(turns[seller] >= wanted for seller, wanted in goal.items()), 30)
