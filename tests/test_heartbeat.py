"""Pages that have died: whoever sent signs of life and sends none is away, and their cards are free."""

from datetime import timedelta
from uuid import UUID

import pytest
import structlog
from calls import say, take
from interleaving import acting_before
from sqlalchemy import text
from world import NOON, World

from calling.handout import presence as presences
from calling.handout.hand_out import next_customer
from calling.handout.heartbeat import EVERY, NOTED_EVERY, Alive, alive, begin_anew, send_silent_away
from calling.handout.presence import be, presence_of
from calling.handout.reaper import reap
from calling.handout.wrapping import hang_up
from models.errors import Conflict, NotFound, Unavailable
from models.outcomes import Outcome
from web import silence
from web.silence import DEAF_SECONDS, Silence

pytestmark = pytest.mark.once

WALL = NOON.replace(year=2027)  # business time has nothing to do with it
SILENT = timedelta(seconds=150)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def sign(world: World, seller: int, wall: timedelta = timedelta()) -> Alive:
    with world.work() as work:
        return alive(work, seller, WALL + wall)


def sent_away(world: World, wall: timedelta) -> list[int]:
    return send_silent_away(world.opener(), WALL + wall, SILENT)


def state_of(world: World, lease_id: UUID) -> tuple[str, str | None]:
    with world.work() as work:
        row = work.run(text("select state, ended_by from lease where id = :l"), l=lease_id).one()
    return row.state, row.ended_by


def test_who_falls_silent_goes_away_and_their_cards_come_back(world: World) -> None:
    """Planted: the cards kept (presence written, nothing given back); seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    sign(world, seller)
    assert sent_away(world, SILENT) == []
    assert sent_away(world, SILENT + SECOND) == [seller]
    with world.work() as work:
        now = presence_of(work, seller)
        ready = work.run(text("select count(*) from placement where state = 'ready'")).scalar_one()
    assert (now.presence, now.said_by) == ("away", "the heartbeat (nothing heard for 150 s)")
    assert (state_of(world, card.lease_id), ready) == (("ended", "recalled"), 2)
    assert {hint.subject for hint in world.hints if hint.kind == "lease_taken_away"} == {seller}
    with pytest.raises(Conflict, match="says the heartbeat"):
        next_customer(world.opener(), seller)


def test_who_never_sent_a_sign_is_not_watched(world: World) -> None:
    """A program that asks for customers talks for an hour without a word."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller = world.seller(assignment)
    take(world, seller)
    assert sent_away(world, HOUR) == []


def test_signs_keep_somebody_here_and_are_written_once_in_a_while(world: World) -> None:
    assignment = world.assignment()
    seller = world.seller(assignment)
    for passed in range(0, 600, int(EVERY.total_seconds())):
        sign(world, seller, timedelta(seconds=passed))
    assert sent_away(world, timedelta(seconds=600)) == []
    with world.work() as work:
        before = work.run(text("select alive_at from seller")).scalar_one()
    sign(world, seller, before - WALL + NOTED_EVERY - SECOND)
    with world.work() as work:
        assert work.run(text("select alive_at from seller")).scalar_one() == before


def test_who_comes_back_is_watched_from_their_next_sign_on(world: World) -> None:
    """Planted: the old sign kept, so that they were sent away again at once; seen to fail."""
    seller = world.seller(world.assignment())
    sign(world, seller)
    assert sent_away(world, HOUR) == [seller]
    assert sign(world, seller, HOUR).presence == "away"  # a sign alone brings nobody back
    with world.work() as work:
        be(work, seller, "available")
    assert sent_away(world, 2 * HOUR) == []


def test_a_call_of_who_fell_silent_is_waited_for_a_minute_and_its_late_word_counts(world: World) -> None:
    """Planted: the call left to its hour; seen to fail."""
    assignment = world.assignment()
    world.customers(2, assignment)
    seller, colleague = world.seller(assignment), world.seller(assignment)
    talking, wrapping = take(world, seller), take(world, colleague)
    with world.work() as work:
        hang_up(work, wrapping.lease_id, colleague)
    sign(world, seller)
    sign(world, colleague)
    assert sent_away(world, HOUR) == [seller, colleague]
    reap(world.opener(NOON + MINUTE - SECOND))
    assert state_of(world, talking.lease_id) == ("rung", None)
    reap(world.opener(NOON + MINUTE))
    for card in (talking, wrapping):
        assert state_of(world, card.lease_id) == ("ended", "unconfirmed")
    assert say(world, talking.lease_id, Outcome.SALE, NOON + HOUR).state == "closed"


def test_who_is_heard_of_at_that_very_moment_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the sign not looked at again behind their row's lock; seen to fail."""
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    card = take(world, seller, rung=False)
    sign(world, seller)
    acting_before(monkeypatch)(presences._LOCKED, lambda: sign(world, seller, HOUR))
    assert sent_away(world, HOUR) == []
    assert state_of(world, card.lease_id) == ("taken", None)
    with world.work() as work:
        assert presence_of(work, seller).presence == "available"


def test_a_sign_is_told_what_is_on_the_screen(world: World) -> None:
    assignment = world.assignment()
    world.customers(1, assignment)
    seller = world.seller(assignment)
    assert sign(world, seller) == Alive("available", None, None, None, None, None)
    card = take(world, seller)
    shown = sign(world, seller)
    assert (shown.lease_id, shown.state, shown.expires_at) == (card.lease_id, "rung", NOON + HOUR)
    with world.work() as work, pytest.raises(NotFound):
        alive(work, 999_999, WALL)


# The web process looks: only who could have heard may say that somebody was silent.


def watch(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Silence, dict[str, float]]:
    """A look whenever the test says so, `at` a time of its own."""
    at = {"s": 0.0}
    monkeypatch.setattr(silence, "wall_now", lambda: WALL + timedelta(seconds=at["s"]))
    return Silence(world.app, ticking=lambda: at["s"]), at


def look_until(watcher: Silence, at: dict[str, float], end: float) -> int:
    sent = 0
    while at["s"] < end:
        at["s"] += 5
        sent += watcher.look()
    return sent


def test_a_web_process_that_listens_sends_the_silent_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = world.seller(world.assignment())
    watcher, at = watch(world, monkeypatch)
    watcher.look()
    sign(world, seller)
    assert look_until(watcher, at, 150) == 0
    with structlog.testing.capture_logs() as said:
        assert look_until(watcher, at, 160) == 1
    assert [(one["event"], one["seller"]) for one in said] == [
        ("a seller has fallen silent, and is away", seller)
    ]


def test_behind_a_restart_of_ours_silence_counts_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or two hundred sellers go away because our server was. Planted: no beginning anew; seen to fail."""
    seller = world.seller(world.assignment())
    sign(world, seller)
    watcher, at = watch(world, monkeypatch)
    at["s"] = 600
    assert watcher.look() == 0
    assert look_until(watcher, at, 745) == 0
    assert look_until(watcher, at, 760) == 1


def test_while_postgresql_was_away_nobody_was_silent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a failed look counted as one; seen to fail."""
    seller = world.seller(world.assignment())
    watcher, at = watch(world, monkeypatch)
    watcher.look()
    sign(world, seller)
    crms = world.app.crms

    def away() -> list[int]:
        raise Unavailable("PostgreSQL is away")

    with structlog.testing.capture_logs():
        monkeypatch.setattr(world.app, "crms", away)
        assert look_until(watcher, at, 300) == 0
        monkeypatch.setattr(world.app, "crms", crms)
        assert look_until(watcher, at, 440) == 0
        assert look_until(watcher, at, 460) == 1
    assert SILENT.total_seconds() > DEAF_SECONDS


def test_beginning_anew_touches_who_is_watched_and_nobody_else(world: World) -> None:
    watched, unwatched = world.seller(), world.seller()
    sign(world, watched)
    with world.work() as work:
        begin_anew(work, WALL + HOUR)
        signs = {row.id: row.alive_at for row in work.run(text("select id, alive_at from seller"))}
    assert signs == {watched: WALL + HOUR, unwatched: None}
