"""What is told of promised calls: the grace and its doors, what is late and why, the gauge and the report."""

import pytest
from calls import say, take
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry
from promises import HOUR, MINUTE, promise, promises, watch
from shell import Shell
from web_client import Api, api_of
from world import NOON, World

from calling.follow_ups.asking import Wish
from calling.follow_ups.grace import set_grace
from calling.follow_ups.late import late_promises
from calling.follow_ups.listing import follow_ups
from calling.limits.changing import NewLimit, set_limit
from calling.views.explain import explain
from calling.walls.hours import set_hours
from calling.walls.pause import pause
from calling.walls.suppress import suppress
from models.errors import BadInput, NotFound
from models.outcomes import Outcome
from wiring.clock import set_clock
from wiring.gauges import DatabaseGauges

AFTERNOON = {"mon": [["17:00", "20:00"]]}


def overdue(world: World) -> int:
    """Five promises of noon, one of them not late yet at one; their assignment."""
    assignment = world.assignment("Spring")
    paused, shut = world.segment(assignment), world.segment(assignment)
    (one,) = world.customers(1, assignment, segment_id=paused)
    (two,) = world.customers(1, assignment, segment_id=shut)
    three, four, fresh = world.customers(3, assignment)
    for customer in (one, two, three, four):
        promise(world, assignment, customer, NOON + MINUTE)
    promise(world, assignment, fresh, NOON + 50 * MINUTE)
    pause(world.opener(), "segment", paused, reason="r", author="a")
    set_hours(world.opener(), segment_id=shut, week=AFTERNOON, reason="r", author="k")
    suppress(world.opener(), customer_id=three, reason="r", author="a")
    return assignment


def test_what_is_late_and_what_keeps_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: whatever is due; hours and pauses not asked; seen to fail, each."""
    shell = Shell(world, monkeypatch)
    assignment = overdue(world)
    with world.work(NOON + HOUR) as work:
        found = late_promises(work, assignment)
        assert late_promises(work, assignment + 1) == []
    assert [(one.gate, one.promises, one.since) for one in found] == [
        (gate, 1, NOON + MINUTE) for gate in ("nobody", "pause", "suppressed", "window")
    ]
    with world.app.shared() as session:
        set_clock(session, NOON + HOUR, 0)
    world.app.clock._read_at = float("-inf")
    registry = CollectorRegistry()
    registry.register(DatabaseGauges(world.app))
    told = generate_latest(registry).decode()
    assert f'ringeliste_late_promises{{crm="{world.crm_id}",gate="nobody"}} 1.0' in told
    assert f'ringeliste_overdue_seconds{{crm="{world.crm_id}",what="promise"}} 3540.0' in told
    said = shell.ok("report").out
    assert "1 promised call late, the oldest since Mon 2026-03-02 12:01 UTC: nobody has rung." in said
    assert "kept by pause" in said


def test_lists_say_when_a_limit_a_pause_and_hours_let_it_on(world: World) -> None:
    """As an explanation does. Planted: hours alone; seen to fail."""
    assignment = world.assignment(gap_seconds=0)
    segment = world.segment(assignment)
    limited, paused = world.customers(1, assignment)[0], world.customers(1, assignment, segment_id=segment)[0]
    seller = world.seller(assignment, segment_id=world.unsegmented(assignment))
    set_limit(world.opener(), NewLimit(1, "customer", "t", seconds=86_400), "Kari")
    say(world, take(world, seller).lease_id, Outcome.FOLLOW_UP, promise=Wish(NOON + HOUR))
    promise(world, assignment, paused, NOON + HOUR)
    evening = NOON.replace(hour=21)
    pause(world.opener(), "segment", segment, reason="r", author="a", ends_at=evening)
    with world.work(NOON + 2 * HOUR) as work:
        rows = {row.customer_id: row for row in follow_ups(work, 0, 9)}
        told = {key: explain(work, assignment, key).callable_at for key in (limited, paused)}
    assert {key: row.will_be for key, row in rows.items()} == told
    assert told == {limited: NOON + 24 * HOUR, paused: NOON.replace(day=3, hour=9, minute=1)}
    assert {rows[limited].gate, rows[paused].gate} == {"limit", "pause"}


def test_a_changed_grace_holds_for_those_that_wait(world: World) -> None:
    """Planted: only for those to come; seen to fail."""
    assignment = world.assignment()
    (customer,) = world.customers(1, assignment)
    promise(world, assignment, customer, NOON + MINUTE, seller=world.seller(assignment))
    watch(world, NOON + MINUTE)
    for seconds, ends in ((1800, NOON + 31 * MINUTE), (300, NOON + 6 * MINUTE), (0, NOON + 2 * MINUTE)):
        with world.work(NOON + 2 * MINUTE) as work:
            set_grace(work, assignment, seconds)
        assert promises(world)[0].anybodys_at == ends
    with world.work() as work:
        for wrong in (-1, 8 * 24 * 3600):
            with pytest.raises(BadInput):
                set_grace(work, assignment, wrong)
        with pytest.raises(NotFound):
            set_grace(work, assignment + 1, 60)


def test_the_doors_of_the_grace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = world.assignment("Spring")
    shell = Shell(world, monkeypatch)
    assert "15 minutes" in shell.ok("followups", "grace").out
    before = shell.everything()
    assert "nothing is changed" in shell.ok("followups", "grace", "--minutes", "30", "--dry-run").out
    assert shell.everything() == before
    shell.ok("followups", "grace", "--minutes", "30")
    with api_of(world) as api:
        _at_the_api(api, world, f"/assignments/{assignment}/follow-up-grace")


def _at_the_api(api: Api, world: World, path: str) -> None:
    kari = api.manager()
    assert kari.ok("GET", path) == {"seconds": 1800}
    assert kari.ok("PUT", path, json={"seconds": 60}) == {"seconds": 60}
    kari.refused(422, "PUT", path, json={"seconds": -1})
    api.seller(world.seller()).refused(403, "PUT", path, json={"seconds": 1})
