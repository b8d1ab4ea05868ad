"""What an outcome says of a number is said in every assignment of the customer."""

import pytest
from interleaving import acting_before
from sqlalchemy import text
from world import World

from calling.handout.hand_out import next_customer
from calling.outcomes import outcome_sql as sql
from calling.outcomes.outcome import Report, record_all
from calling.segments.publishing import publish
from calling.segments.resegmenting import rebuilds_to_do, run_rebuild
from models.outcomes import Outcome
from segmentation.resegment import differing


@pytest.mark.parametrize("outcome", [Outcome.INVALID_NUMBER, Outcome.WRONG_PERSON])
def test_what_is_said_of_a_number_is_said_in_every_assignment(world: World, outcome: Outcome) -> None:
    """A rule of another assignment asks has_phone (P6). Seen to fail before: only its own followed."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    everybody = world.customers(3, here)
    world.place(everybody, there)
    reached = {"segments": [{"key": "p", "name": "P", "when": {"f": "has_phone", "op": "is_true"}}]}
    for assignment in (here, there):
        publish(world.opener(), assignment, reached, author="a")
    for rebuild in rebuilds_to_do(world.opener()):
        run_rebuild(world.opener(), rebuild)
    handed = next_customer(world.opener(), world.seller(here))
    assert handed is not None
    record_all(world.opener(), [Report(handed.lease_id, outcome, "seller")])
    with world.work() as work:
        assert (differing(work, here), differing(work, there)) == (0, 0)
        count = text("select count(distinct segment_id) from placement where assignment_id = :there")
        assert work.run(count, there=there).scalar() == 2
        assert rebuilds_to_do(world.opener()) == []


def test_whoever_enters_while_their_number_is_given_up_is_placed_by_a_rebuild(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other assignment's turnstile was not passed. Planted: no rebuild asked for; fails."""
    here, there = world.assignment(gap_seconds=0), world.assignment(gap_seconds=0)
    (customer,) = world.customers(1, here)
    handed = next_customer(world.opener(), world.seller(here))
    assert handed is not None
    acting_before(monkeypatch)(sql.LOCK, lambda: world.place([customer], there))
    record_all(world.opener(), [Report(handed.lease_id, Outcome.INVALID_NUMBER, "seller")])
    assert len(rebuilds_to_do(world.opener())) == 1
