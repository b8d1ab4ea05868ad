"""A list that a stale register or an unknown place shuts is no list after hours: somebody has to act."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from promises import promise
from register_scene import PT, known, load
from shell import Shell
from sqlalchemy import text
from web_client import Caller, api_of
from world import NOON, World

from calling.follow_ups.late import late_promises
from calling.follow_ups.listing import follow_ups
from calling.handout import gates
from calling.handout.hand_out import next_customer
from calling.handout.ring import refuse_if_shut
from calling.registers.using import use
from calling.views.dry import dry_lists
from calling.views.explain import explain
from calling.views.floor import floor
from calling.views.forecast import forecast
from calling.views.funnel import funnel
from calling.walls.hours import set_hours
from calling.walls.pause import pause
from calling.walls.suppress import suppress
from models.errors import NotNow
from web.pages.figures import _left
from web.pages.promise_rows import _standing
from web.pages.readers import Reader
from web.pages.segments import _state
from web.pages.snapshot import read
from wiring.clock import set_clock
from wiring.gauges import DatabaseGauges

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STALE = NOON + 31 * DAY  # a Thursday, an hour into summer time
LISBON = ZoneInfo("Europe/Lisbon")


@pytest.fixture(autouse=True)
def _portugal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch, PT):
        yield


@pytest.fixture
def spring(world: World) -> int:
    return world.assignment("Spring")


@pytest.fixture
def manager(world: World) -> Iterator[Caller]:
    with api_of(world) as api:
        yield api.manager()


def alarms(world: World, now: datetime) -> list[tuple[str, bool]]:
    with world.work(now) as work:
        return [(one.gate, one.after_hours) for one in dry_lists(work)]


def gauge(world: World, now: datetime) -> dict[str, float]:
    at(world, now)
    (family,) = (f for f in DatabaseGauges(world.app).collect() if f.name == "ringeliste_dry_lists")
    return {sample.labels["gate"]: sample.value for sample in family.samples}


def at(world: World, now: datetime) -> None:
    with world.app.shared() as session:
        set_clock(session, now, 0)


def test_a_stale_register_alarms_and_every_view_says_so(
    world: World, spring: int, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By day and by night: no morning opens it. Banner, gauge, report, forecast and floor agree.

    Planted: a stale register told as shut hours, as it was; seen to fail.
    """
    shell = Shell(world, monkeypatch)
    world.customers(3, spring)
    world.seller(spring)
    load(world, ["+351210000001"])
    use(world.opener(), "PT-TEST", author="Kari")
    assert alarms(world, NOON) == []
    assert alarms(world, NOON + 11 * HOUR) == [("window", True)]
    for now in (STALE, STALE + 11 * HOUR):
        assert alarms(world, now) == [("register_stale", False)]
        assert gauge(world, now) == {"register_stale": 1.0}
        with world.work(now) as work:
            assert funnel(work, spring).hours_open
            found, here = forecast(work, spring), floor(work, spring)
            assert (found.callable_now, found.waiting, found.refused) == (0, 0, 3)
            assert (here.any_open, here.opens_at, here.shut_by) == (False, None, "register_stale")
            shown = read(work, spring, LISBON)
        assert _left(shown) == "register too old: load a newer version"
        assert _state(shown.segments[-1], None, shown) == ("dry", "Register too old")
    assert Reader(world.app, world.crm_id, spring, LISBON)._ask().dry is not None
    assert "Nobody may be rung, and somebody waits" in shell.ok("report").out
    assert "the register of 3 customers is too old" in " ".join(shell.ok("forecast").out.split())
    told = manager.ok("GET", f"/assignments/{spring}/forecast")
    assert (told["waiting"], told["refused"]) == (0, 3)
    assert manager.ok("GET", f"/assignments/{spring}/floor")["shut_by"] == "register_stale"


def test_the_night_is_still_the_night(world: World, spring: int) -> None:
    world.customers(2, spring)
    with world.work(NOON + 11 * HOUR) as work:
        here, shown = floor(work, spring), read(work, spring, LISBON)
        assert (here.shut_by, here.opens_at) == ("window", NOON.replace(day=3, hour=9, minute=1))
    assert "hours shut" in _left(shown)
    assert _state(shown.segments[-1], None, shown) == ("working", "Hours shut")


def test_who_is_nowhere_is_not_after_hours(world: World, spring: int) -> None:
    """Most stop there: it alarms by night as well. One of them among many who sleep alarms nobody."""
    lost = world.customers(3, spring, zones=[])
    world.seller(spring)
    with world.work() as work:
        gates.restamp(work, lost)
    night = NOON + 11 * HOUR
    assert alarms(world, NOON) == alarms(world, night) == [("zone_unknown", False)]
    assert gauge(world, night) == {"zone_unknown": 1.0}
    world.customers(2, spring)
    assert alarms(world, night) == [("zone_unknown", False)]
    world.customers(2, spring)
    assert alarms(world, night) == [("window", True)]


def test_shut_views_need_no_free_customer(world: World, spring: int) -> None:
    """Nobody is free: neither hours nor a register are to blame."""
    world.customers(1, spring, state="closed")
    with world.work(NOON + 11 * HOUR) as work:
        here = floor(work, spring)
    assert (here.any_open, here.shut_by) == (False, None)
    assert _left(SimpleNamespace(floor=here, segments=[SimpleNamespace(paused=False)])) == "nobody is free"  # type: ignore[arg-type]


def test_a_promise_beyond_a_registers_last_day_says_so(world: World, spring: int) -> None:
    """When it is made, and in the lists; one before it tells nothing. It does not read "hours never open"."""
    first, second, third = world.customers(3, spring)
    never = world.segment(spring, "never")
    set_hours(world.opener(), segment_id=never, week={"sun": [["00:00", "00:01"]]}, reason="r", author="Kari")
    (shut,) = world.customers(1, spring, segment_id=never)
    load(world, ["+351210000001"])
    use(world.opener(), "PT-TEST", author="Kari")
    inside, beyond = NOON + DAY, STALE
    assert promise(world, spring, first, inside).told == ""
    assert promise(world, spring, second, beyond).told == (
        "nobody may be rung then as things stand: PT-TEST is too old by then, load a newer version"
    )
    assert promise(world, spring, shut, inside).told == (
        "nobody may be rung then as things stand: their hours never open"
    )
    suppress(world.opener(), customer_id=third, reason="r", author="a")
    promise(world, spring, third, beyond)
    with world.work() as work:
        rows = {row.customer_id: row for row in follow_ups(work, 0, 9)}
    assert [rows[key].gate for key in (first, second, third, shut)] == [
        None, "register_stale", "suppressed", None,
    ]  # fmt: skip
    assert rows[second].will_be is None
    assert _standing(rows[second], NOON, LISBON) == ("held", "register too old by then")
    assert _standing(rows[shut], NOON, LISBON) == ("held", "hours never open")
    with world.work(STALE + 2 * HOUR) as work:
        late = {one.gate: one.promises for one in late_promises(work)}
    assert late == {"register_stale": 3, "suppressed": 1}


def test_a_pause_beyond_a_registers_last_day_says_why_nothing_opens_after_it(
    world: World, spring: int
) -> None:
    """So does the last night before it. Planted: the hours of now alone, as it was; seen to fail."""
    (customer,) = world.customers(1, spring)
    load(world, ["+351210000001"])
    use(world.opener(), "PT-TEST", author="Kari")
    why = "; PT-TEST is too old by then, load a newer version"

    def window(at: datetime) -> tuple[bool, str]:
        with world.work(at) as work:
            told = explain(work, spring, customer)
        (one,) = [answer for answer in told.answers if answer.gate == "window"]
        assert (told.callable_at is None) is one.fact.endswith(why)
        return one.open, one.fact

    assert window(NOON)[0]
    pause(world.opener(), "assignment", spring, reason="x", author="Kari", ends_at=NOON + DAY)
    assert not window(NOON)[1].endswith(why)
    pause(world.opener(), "crm", None, reason="x", author="Kari", ends_at=STALE)
    assert window(NOON)[0]
    assert window(NOON)[1].endswith(why)
    still, told = window(STALE - 15 * HOUR)
    assert not still
    assert told.endswith(why)


def test_a_ring_that_a_stale_register_refuses_names_it(world: World, spring: int) -> None:
    """The customer was handed out before. Planted: "window", as it was; seen to fail."""
    world.customers(1, spring)
    seller = world.seller(spring)
    handed = next_customer(world.opener(), seller)
    assert handed is not None
    load(world, ["+351210000001"], dated=NOON.date() - 40 * DAY)
    use(world.opener(), "PT-TEST", author="Kari")
    with world.work() as work:
        work.run(text("update lease set state = 'taken', ended_at = null, ended_by = null"))
    with world.work() as work, pytest.raises(NotNow) as refused:
        refuse_if_shut(work, work.run(text("select * from lease")).one())
    assert (refused.value.gate, refused.value.until) == ("register_stale", None)
