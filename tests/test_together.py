"""Several questions in one turn: answered in order, each seeing what those before it waited for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from world import World, wait_until

from models.errors import Unavailable

_ONE = text("select 1 as one, :crm_id as crm")
_NAME = text("select name from assignment where crm_id = :crm_id order by id desc limit 1")
_RENAME = text("update assignment set name = 'renamed' where crm_id = :crm_id and id = :id")
_WRONG = text("select 1 / :zero as never")
_SHARED = text("select pg_advisory_xact_lock_shared(:id)")
_EXCLUSIVE = text("select pg_advisory_xact_lock(:id)")


def test_answers_come_in_order_as_run_gives_them(world: World) -> None:
    with world.work() as work:
        ones, nobody, names = work.run_together(
            (_ONE, {}), (text("select 1 where :no"), {"no": False}), (_NAME, {})
        )
        assert ones.mappings().one() == {"one": 1, "crm": work.crm_id}
        assert nobody.first() is None
        assert names.scalars().all() == work.run(_NAME).scalars().all()


def test_what_one_waits_for_the_next_one_sees(world: World) -> None:
    """As behind a turnstile: each is a statement of its own, and what is read behind the lock is new."""

    def read(assignment_id: int) -> str:
        with world.work() as work:
            _, names = work.run_together((_SHARED, {"id": assignment_id}), (_NAME, {}))
            return str(names.scalar_one())

    assignment_id = world.assignment()
    with ThreadPoolExecutor(1) as pool:
        with world.work() as work:
            work.run(_EXCLUSIVE, id=assignment_id)
            waiting = pool.submit(read, assignment_id)
            wait_until(lambda: bool(world.waited_for()))
            work.run(_RENAME, id=assignment_id)
        assert waiting.result(timeout=10) == "renamed"


def test_an_error_is_the_one_that_run_raises(world: World) -> None:
    """Planted: the driver's own error let through; seen to fail."""
    with pytest.raises(DBAPIError) as caught, world.work() as work:
        work.run_together((_ONE, {}), (_WRONG, {"zero": 0}), (_NAME, {}))
    assert getattr(caught.value.orig, "sqlstate", None) == "22012"
    with world.work() as work:
        assert work.run(_ONE).one().one == 1


def test_a_lost_connection_is_told_and_not_used_again(world: World) -> None:
    with pytest.raises(Unavailable), world.work() as work:
        work.run_together(
            (_ONE, {}), (text("select pg_terminate_backend(pg_backend_pid())"), {}), (_NAME, {})
        )
    with world.work() as work:
        assert work.run(_ONE).one().one == 1
