"""May this seller, or this dialer, be given a customer? Held against what a hand-out then does."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from promises import promise, watch
from shell import Shell
from sqlalchemy import text
from web_client import api_of
from world import NOON, World

from calling.handout.absence import Absence
from calling.handout.allocate import allocate
from calling.handout.presence import be
from calling.views.explain import Explanation, explain
from calling.views.holders import Who
from calling.walls.pause import pause
from models.errors import NotFound

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def asked(world: World, assignment: int, customer: int, who: Who, now: datetime = NOON) -> Explanation:
    with world.work(now) as work:
        return explain(work, assignment, customer, who)


def shut(found: Explanation) -> list[str]:
    assert found.holder is not None
    return [one.gate for one in found.holder.answers if not one.open]


@pytest.mark.parametrize("seed", range(5))
def test_who_may_is_given_them_and_who_may_not_is_not(world: World, seed: int) -> None:
    """One customer, one holder who alone is there, drawn at random: the verdict is what allocation does.

    Planted: the pause of a seller not looked at; a late dialer before closing let through; a robot in Iran;
    each seen to fail. Owners who are off are drawn too, before and after the tick has seen it.
    """
    for one in range(12):
        die = Random(f"{seed} {one}")
        now = NOON + die.choice([0, 478, 478, 479]) * MINUTE  # the last rings are at 19:58
        assignment, other = world.assignment(), world.assignment()
        mine, theirs = world.segment(assignment), world.segment(assignment)
        clock = world.clock(["Europe/Lisbon"], [die.choice(["PT", "PT", "IR"])])
        (customer,) = world.customers(1)
        world.place([customer], assignment, segment_id=mine, clock_id=clock)
        where: dict[str, Any] = {"assignment_id": die.choice([assignment] * 5 + [other])}
        if where["assignment_id"] == assignment:
            where |= {"segment_id": die.choice([None, mine, mine, theirs])}
        if die.random() < 0.5:
            presence = die.choice(["available"] * 3 + ["away"])
            seller = world.seller(presence=presence, **where)
            who, owner = Who("seller", seller), die.choice([seller, world.seller()])
        else:
            heard = now - die.choice([1, 1, 10]) * MINUTE
            mode = die.choice(["connect", "voice_robot"])
            late = die.choice([0, 120, 120])
            wanted = die.choice([0, 3, 3])
            dialer = world.dialer(mode=mode, wanted=wanted, wanted_at=heard, rings_late_seconds=late, **where)
            who, owner = Who("dialer", dialer), world.seller(presence="away", presence_since=NOON)
        if die.random() < 0.4:
            at = NOON + die.choice([1, 20]) * MINUTE
            promise(world, assignment, customer, at, seller=die.choice([None, owner]))
            now = max(now, at + die.choice([0, 10, 14, 15, 61]) * MINUTE)
            with world.work() as work:  # links say how they are while time passes
                work.run(text("update dialer set wanted_at = :at where wanted_at > :heard"),
                         at=now, heard=NOON - 5 * MINUTE)  # fmt: skip
            other_die = Random(f"off {seed} {one}")  # the days that were drawn before stay what they were
            if who != Who("seller", owner) and other_die.random() < 0.6:
                with world.work(NOON) as work:
                    be(work, owner, "away", said=Absence("ill", other_die.choice([None, NOON + 20 * MINUTE])))
            if other_die.random() < 0.6:
                watch(world, now)
        if die.random() < 0.5:
            world.seller(assignment, segment_id=theirs)  # so that it is not robots alone who work it
        if die.random() < 0.2:
            pause(world.opener(now), who.kind, who.id, reason="x", author="Kari")
        found = asked(world, assignment, customer, who, now)
        assert found.holder is not None
        with world.work(now) as work:
            allocate(work, assignment)
            held = work.run(text("select seller_id, dialer_id from lease where customer_id = :c"), c=customer)
            got = [(row.seller_id, row.dialer_id) for row in held]
        given = got == [(who.id, None) if who.kind == "seller" else (None, who.id)]
        assert (found.callable_now and found.holder.open) is given, (seed, one, who, found, got)
        with world.work() as work:  # the next one is alone
            work.run(text("update seller set presence = 'away'"))
            work.run(text("update dialer set wanted = 0"))


def test_it_says_what_stands_in_the_way(world: World) -> None:
    assignment, other = world.assignment("Spring"), world.assignment("Autumn")
    loans, rest = world.segment(assignment, "loans"), world.segment(assignment, "rest")
    (customer, second) = world.customers(2, assignment, segment_id=rest)
    ana = world.seller(assignment, "Ana", segment_id=loans)
    told = asked(world, assignment, customer, Who("seller", ana)).holder
    assert told is not None
    assert [one.fact for one in told.answers if not one.open] == ["works loans only"]
    bo = world.seller(other, "Bo")
    assert shut(asked(world, assignment, customer, Who("seller", bo))) == ["works"]
    promise(world, assignment, customer, NOON + MINUTE, seller=ana)
    due = NOON + 2 * MINUTE
    assert shut(asked(world, assignment, customer, Who("seller", ana), due)) == []  # in whatever segment
    with world.work(due) as work:
        be(work, bo, "available", assignment_id=assignment)
    found = asked(world, assignment, customer, Who("seller", bo), due)
    assert shut(found) == ["promise"]
    assert found.holder is not None
    (whose,) = (one for one in found.holder.answers if one.gate == "promise")
    assert (whose.until, whose.fact) == (NOON + 17 * MINUTE, "the promise is Ana's")
    never = world.dialer(assignment, "robot")
    assert shut(asked(world, assignment, second, Who("dialer", never))) == ["presence"]
    with pytest.raises(NotFound):
        asked(world, assignment, customer, Who("dialer", 99))


def test_by_api_and_command_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = world.assignment("Spring")
    loans = world.segment(assignment, "loans")
    (customer,) = world.customers(1, assignment)
    ana = world.seller(assignment, "Ana", segment_id=loans)
    with world.work() as work:
        external = work.run(text("select external_id from customer")).scalar_one()
    with api_of(world) as api:
        kari = api.manager()
        path = f"/customers/{customer}/explanation"
        told = kari.ok("GET", path, params={"assignment": assignment, "seller": ana})["holder"]
        assert (told["kind"], told["name"], told["open"]) == ("seller", "Ana", False)
        assert kari.ok("GET", path, params={"assignment": assignment})["holder"] is None
        kari.refused(422, "GET", path, params={"assignment": assignment, "seller": 1, "dialer": 1})
        kari.refused(404, "GET", path, params={"assignment": assignment, "dialer": 77})
    shell = Shell(world, monkeypatch)
    said = shell.ok("explain", external, "--for", "seller", "Ana").out
    assert "seller Ana is not given them now" in said
    assert "works loans only" in said
    assert "neither seller nor dialer" in shell.run("explain", external, "--for", "robot", "Ana").err
    assert "did you mean Ana" in shell.run("explain", external, "--for", "seller", "Anna").err
