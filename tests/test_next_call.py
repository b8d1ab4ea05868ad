"""When a customer is next callable, to the second: against an oracle of its own, and what then happens.

Random worlds: several numbers, shared ones, zones, weeks in which clocks change, rings that fall on the
second of a boundary, limits of the law and of owners, rests, refusals, do-not-call that ends, registers
that name them, that grow too old tonight, and whose next version comes while they wait, stricter hours,
exemptions, pauses, promises here and elsewhere. A failure names its seed, and NEXT_CALL_SEED=<seed> draws it
again.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from json import dumps
from random import Random
from typing import Any

import pytest
from call_oracle import CallOracle
from calls import say, take
from hours_oracle import DAYS, zones_of_the_package
from promises import promise
from sqlalchemy import text
from world import NOON, OFFICE_HOURS, World

from calling.handout import gates
from calling.handout.allocate import allocate_all
from calling.handout.due import open_gates, wake_due
from calling.handout.give_back import note_rings
from calling.limits.changing import NewLimit, set_limit
from calling.outcomes.attempts import ensure_months
from calling.registers import coming, law
from calling.registers.loading import load_numbers
from calling.views.audit_limits import rung_beyond_limits
from calling.views.explain import explain
from calling.walls.pause import pause
from models.outcomes import Outcome

SEED = int(os.environ.get("NEXT_CALL_SEED") or Random().randrange(1_000_000))
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
WORLDS = int(os.environ.get("NEXT_CALL_WORLDS") or 30)

ALWAYS: dict[str, Any] = {day: [["00:00", "24:00"]] for day in DAYS}
HALVES: dict[str, Any] = {day: [["08:30", "12:15"], ["13:45", "23:59"]] for day in (*DAYS[:3], DAYS[5])}
WHERE: tuple[tuple[list[str], list[str]], ...] = (
    (["Europe/Lisbon"], ["PT"]), (["Atlantic/Azores", "Europe/Lisbon"], ["PT"]), (["Europe/Paris"], ["FR"]),
    (["America/Chicago", "America/New_York"], ["US-FL"]), (["Asia/Tokyo"], ["PT"]),
    (["Africa/Cairo"], ["PT"]), (["America/Havana", "Pacific/Chatham"], ["PT"]), ([], ["PT"]),
)  # fmt: skip
REGISTERED: tuple[tuple[list[str], list[str]], ...] = (
    (["Europe/Paris"], ["FR"]), (["America/Chicago", "America/New_York"], ["US-FL"]),
    (["Europe/Rome"], ["IT"]), (["America/Havana", "Europe/Rome"], ["IT", "SE"]),
    (["Africa/Cairo"], ["FR", "IT"]),
)  # fmt: skip
"""Where registers shut doors; no law of hours binds in Italy, so that midnights count to the second."""
AGES = {"FR-BLOCTEL": 30, "US-DNC": 31, "IT-RPO": 30, "SE-NIX": 31}
"""How many days after its own a version is the last to be called by; the last one only warns."""
WEEKS = [
    NOON, datetime(2026, 3, 7, 20, tzinfo=UTC), datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 4, 23, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 20, tzinfo=UTC),
]  # fmt: skip
"""Each, but the first, the eve of a change of clocks in one of the zones."""


# What an earlier world has loaded is of its own time; its numbers are there until the next load.
_UNFINISHED = text("""
    select discard_register_version(id, 'x', :now) from register_version
     where in_force_at is null and failed_at is null
""")
_NEVER_LOADED = text("""
    update register r set in_force = null, dated = null,
           numbers = (select count(*) from register_number n
                       where n.register_id = r.id and n.removed_in is null)
""")


@pytest.fixture(scope="module", autouse=True)
def _zones_of_the_package() -> Iterator[None]:
    with zones_of_the_package():
        yield


THEMES = ("rest", "limits", "hours", "numbers", "rings", "pauses", "lists", "promises", "registers")


TOGETHER = (
    {"numbers", "lists", "limits"}, {"limits"}, {"promises"}, {"registers"}, {"registers", "numbers"},
    {"registers", "rest"}, {"registers", "hours"}, {"registers", "pauses", "lists"},
)  # fmt: skip
"""A number that comes off its list may rest itself; days of the calendar are several zones'; who is kept
free for a promise elsewhere is not, if one is due here; who rests until a register is too old waits for
ever."""


class Drawn:
    """A customer whose gates are drawn by a die: those of a few themes, so that each often is the last."""

    def __init__(self, world: World, die: Random) -> None:
        self.world, self.die = world, die
        self.themes = die.choice([set(die.sample(THEMES, die.randint(1, 4))), *TOGETHER])
        self.now = die.choice(WEEKS) + die.randrange(-6 * 3600, 6 * 3600) * SECOND
        self.gaps = [die.choice([0, 60, 3600, 5 * 3600]) for _ in range(2)]
        debts = die.random() < 0.2
        self.assignment = world.assignment(gap_seconds=self.gaps[0], about_debts=debts)
        self.other = world.assignment(gap_seconds=self.gaps[1])
        self.segment = world.segment(self.assignment)
        several = [one for one in WHERE if len(one[0]) > 1]
        if "registers" in self.themes and die.random() < 0.9:
            several = list(REGISTERED)
        self.zones, self.places = die.choice(several if {"limits", "registers"} & self.themes else WHERE)
        self.customer, self.sharer = world.customers(2)
        clock = world.clock(self.zones, self.places)
        placed: dict[str, Any] = {"segment_id": self.segment, "clock_id": clock}
        if "rest" in self.themes:
            placed |= {"state": "resting", "due_at": self.soon()}
        world.place([self.customer], self.assignment, **placed)
        world.place([self.customer, self.sharer], self.other)
        self.limits()
        self.hours()
        self.telephones()
        for _ in range(die.randint(2, 6) if {"rings", "limits"} & self.themes else 0):
            self.ring()
        self.pauses()
        self.lists()
        if "promises" in self.themes:
            self.promised()
        if "registers" in self.themes:
            self.registers()
        self.stamp()

    def stamp(self) -> None:
        with self.world.work(self.now) as work:
            gates.restamp(work, [self.customer, self.sharer])

    def run(self, sql: str, **values: Any) -> Any:
        with self.world.work(self.now) as work:
            found = work.run(text(sql), **values)
            return found.all() if found.returns_rows else None

    def soon(self) -> datetime:
        return self.now + self.die.choice([1, 600, 3600, 40 * 3600]) * self.die.randint(1, 5) * SECOND

    def limits(self) -> None:
        self.windows = [3600, 7200, 86_400]
        for _ in range(self.die.randint(1, 2) if "limits" in self.themes else 0):
            rolls = self.die.random() < 0.5
            scope = self.die.choice(
                ["number"] if "lists" in self.themes else ["number", "customer", "assignment"]
            )
            after = ["no_sale"] if scope != "number" and self.die.random() < 0.3 else []
            self.run(
                """insert into call_limit
                   (crm_id, assignment_id, scope, most, seconds, days, after, reason, author, created_at)
                   values (:crm_id, :a, :scope, :most, :seconds, :days, :after, 'x', 'Kari', :now)""",
                a=self.die.choice([None, self.assignment, self.other]), scope=scope,
                most=self.die.randint(1, 3), seconds=self.die.choice(self.windows) if rolls else None,
                days=None if rolls else self.die.randint(1, 4), after=after,
            )  # fmt: skip

    def hours(self) -> None:
        mine = "hours" in self.themes
        week = self.die.choice([OFFICE_HOURS, HALVES]) if mine else ALWAYS
        with self.world.app.shared() as session:
            session.execute(text("update crm set hours = cast(:week as jsonb) where id = :id"),
                            {"week": dumps(week), "id": self.world.crm_id})  # fmt: skip
        today = self.now.date()
        for _ in range(self.die.choice([0, 1, 2]) if mine else 0):
            where = self.die.choice([None, self.assignment, self.assignment, self.other])
            own = {str(today + n * DAY): self.die.choice([[], [["10:00", "16:20"]]]) for n in (0, 1)}
            self.run(
                """insert into stricter_hours (crm_id, assignment_id, segment_id, week, days, valid_from,
                                               valid_to, reason, author, set_at, walled_at)
                   values (:crm_id, :a, :s, cast(:week as jsonb), cast(:days as jsonb), :first, :last,
                           'x', 'Kari', :now, :now)""",
                a=where, s=self.die.choice([None, self.segment]) if where == self.assignment else None,
                week=self.die.choice([None, dumps(HALVES)]), days=dumps(own),
                first=self.die.choice([None, today + DAY]), last=self.die.choice([None, today + 3 * DAY]),
            )  # fmt: skip
        if mine and self.die.random() < 0.4:
            self.run(
                """insert into exemption (crm_id, assignment_id, law, valid_from, valid_to, reason, manager,
                                          author, given_at)
                   values (:crm_id, :a, :law, :first, :last, 'asked', 'Kari', 'Kari', :now)""",
                a=self.die.choice([None, self.assignment, self.other]), first=today,
                law=self.die.choice(["own", "FR", "US-FL"]), last=today + self.die.randint(0, 2) * DAY,
            )  # fmt: skip

    def telephones(self) -> None:
        """One more, or two; some of no use, one of them maybe somebody else's as well."""
        for n in range(self.die.choice([1, 2]) if "numbers" in self.themes else 0):
            self.run("""insert into customer_number (crm_id, customer_id, e164, position, zones, state)
                        values (:crm_id, :c, :e164, :n, '{Europe/Lisbon}', :state)""",
                     c=self.customer, e164=f"+3519{self.world.crm_id:04}{n:04}", n=n,
                     state=self.die.choice(["unverified", "good", "disconnected"]))  # fmt: skip
        mine = "select e164 from customer_number where customer_id = :c order by e164"
        self.numbers = [row.e164 for row in self.run(mine, c=self.customer)]
        if self.die.random() < 0.4:
            self.run("""insert into customer_number (crm_id, customer_id, e164, position, zones)
                        values (:crm_id, :c, :e164, 1, '{Europe/Lisbon}')""",
                     c=self.sharer, e164=self.die.choice(self.numbers))  # fmt: skip
        if self.die.random() < 0.1:
            self.run(
                "update customer_number set state = 'wrong_person' where customer_id = :c", c=self.customer
            )

    def ring(self) -> None:
        """At any time of the last days, or on the second at which a window of it ends about now."""
        die = self.die
        ago = die.choice([die.randrange(1, 3 * 86_400), die.choice(self.windows) + die.choice([-1, 0, 1]),
                          die.choice([1, *self.gaps]) or 1])  # fmt: skip
        rung = self.now - max(1, ago) * SECOND
        who, e164 = self.customer, die.choice(self.numbers)
        if die.random() < 0.2:
            who = self.sharer
        unsure = die.random() < 0.2
        ended = min(self.now, rung + die.choice([60, 3600]) * SECOND)
        with self.world.work(self.now) as work:
            lease = work.new_id(rung)
            where = die.choice([self.assignment, self.other]) if who == self.customer else self.other
            work.run(
                text("""
                    insert into lease (crm_id, id, assignment_id, customer_id, segment_id, rule_version,
                                       seller_id, state, e164, zone, offered_at, ring_by, expires_at,
                                       taken_at, rung_at, ended_at, ended_by)
                    select :crm_id, :id, p.assignment_id, p.customer_id, p.segment_id, 0, 1, 'ended', :e164,
                           'Europe/Lisbon', :rung, :rung, :rung, :rung, :rung, :ended, :by
                      from placement p where p.customer_id = :who and p.assignment_id = :where
                """),
                id=lease, e164=e164, who=who, where=where, rung=rung, ended=ended,
                by="unconfirmed" if unsure else "outcome",
            )  # fmt: skip
            note_rings(work, [lease], since=ended if unsure else None)
            if not unsure:
                self.answer(work, lease, rung, ended)

    def answer(self, work: Any, lease: Any, rung: datetime, ended: datetime) -> None:
        """What came of it; sometimes the seller said something else of it than the dialer."""
        for revision in range(self.die.choice([1, 1, 2])):
            work.run(
                text("""
                    insert into attempt (crm_id, lease_id, revision, kind, assignment_id, customer_id,
                                         segment_id, rule_version, seller_id, e164, zone, outcome, status,
                                         counted, late, rung_at, reported_at)
                    select :crm_id, :id, :revision, :kind, assignment_id, customer_id, segment_id, 0, 1, e164,
                           zone, :outcome, 'x', 1, false, :rung, :ended from lease where id = :id
                """),
                id=lease, revision=revision, kind="completion" if revision else "first", ended=ended,
                outcome=self.die.choice(["no_sale", "no_answer", "answered"]),
                rung=self.die.choice([None, rung]),
            )  # fmt: skip

    def pauses(self) -> None:
        """Most with an end."""
        if "pauses" not in self.themes:
            return
        for scope, target in (("crm", None), ("assignment", self.assignment), ("segment", self.segment),
                              ("assignment", self.other)):  # fmt: skip
            if self.die.random() < 0.5:
                ends_at = None if self.die.random() < 0.1 else self.soon()
                pause(self.world.opener(self.now), scope, target, reason="x", author="Kari", ends_at=ends_at)

    def lists(self) -> None:
        """Do-not-call, most of it with an end."""
        if "lists" not in self.themes:
            return
        for subject in [*({"e164": e164} for e164 in self.numbers), {"customer_id": self.customer}]:
            for _ in range(2):
                if self.die.random() < 0.35:
                    self.run(
                        """insert into suppression (crm_id, e164, customer_id, reason, author, created_at,
                                                    expires_at, walled_at)
                           values (:crm_id, :e164, :customer_id, 'x', 'Kari', :now, :ends, :now)""",
                        **{"e164": None, "customer_id": None, **subject},
                        ends=None if self.die.random() < 0.1 else self.soon(),
                    )  # fmt: skip

    def registers(self) -> None:
        """In use or not any more, loaded or not; somebody is let off, or is not any more."""
        die = self.die
        with self.world.app.shared() as session:
            session.execute(_UNFINISHED, {"now": self.now})
            session.execute(_NEVER_LOADED)
        here = [name for name in AGES if name[:2] in {place[:2] for place in self.places}]
        self.used = sorted({*die.sample(here, min(len(here), 1)), *die.sample(list(AGES), die.randint(0, 2))})
        for name in self.used:
            with self.world.app.shared() as session:
                named = "insert into register (name) values (:name) on conflict do nothing"
                session.execute(text(named), {"name": name})
            if die.random() < 0.9:
                self.load(name)
            where = {"name": name, "ended": die.choice([None] * 6 + [self.now])}
            self.run(
                """insert into crm_register (crm_id, register_id, author, used_since, ended_at, ended_by)
                   select :crm_id, id, 'Kari', :now, cast(:ended as timestamptz),
                          case when cast(:ended as timestamptz) is not null then 'Kari' end
                     from register where name = :name""",
                **where,
            )
            for _ in range(die.choice([0, 0, 2, 3])):
                where["ended"] = die.choice([None, None, self.now])
                assignment = die.choice([None, self.assignment, self.other])
                self.run(
                    """insert into register_exemption (crm_id, register_id, assignment_id, tag, reason,
                                                       manager, author, given_at, ended_at, ended_by)
                       select :crm_id, id, :a, :tag, 'asked', 'Kari', 'Kari', :now,
                              cast(:ended as timestamptz),
                              case when cast(:ended as timestamptz) is not null then 'Kari' end
                         from register where name = :name""",
                    a=assignment, tag=None if assignment else die.choice(["client", "asked"]), **where,
                )  # fmt: skip
        if die.random() < 0.5:
            self.run("""insert into customer_tag (crm_id, customer_id, tag, source, author, tagged_at)
                        values (:crm_id, :c, :tag, 'hand', 'Kari', :now)""",
                     c=self.customer, tag=die.choice(["client", "asked"]))  # fmt: skip

    def load(self, name: str) -> None:
        """Versions one after the other, the last one maybe not in force yet; too old in the days to come."""
        die, row = self.die, law.shipped()[name]
        oldest = self.now.date() - AGES[name] * DAY
        dated = sorted(oldest + die.choice([-2, -1, 0, 0, 0, 1, 1, 2, 9]) * DAY for _ in range(2))
        share = die.choice([0, 0.3, 0.6])
        for day in dated[: die.randint(1, 2)]:
            named = [e164 for e164 in self.numbers if die.random() < share]
            values: dict[str, Any] = {"file": "x", "dated": day, "author": "Kari", "now": self.now}
            load_numbers(self.world.app.shared, row, [["+351210000001", *named]], **values, force=True)
        if die.random() < 0.4:
            named = [e164 for e164 in self.numbers if die.random() < 0.5]
            told = coming.Loaded(name, None, dated[-1], "x")
            with self.world.app.shared() as session:
                key = coming.begin(session, {**values, "name": name, "dated": dated[-1]}, told)
            with self.world.app.shared() as session:
                coming.fill(session, key, [["+351210000001", *named]], told, 0.0, force=True)

    def loaded_later(self) -> bool:
        """Somebody loads what is used while they wait, maybe when it is too old already; whether one did."""
        if "registers" not in self.themes or self.die.random() < 0.5:
            return False
        self.now += self.die.choice([1, 600, 3600, 30 * 3600, 90 * 3600]) * SECOND
        for name in self.used:
            named = [e164 for e164 in self.numbers if self.die.random() < 0.2]
            load_numbers(
                self.world.app.shared, law.shipped()[name], [["+351210000001", *named]], file="x",
                dated=self.now.date(), author="Kari", now=self.now, force=True,
            )  # fmt: skip
        wake_due(self.world.opener(self.now))
        self.stamp()
        return True

    def promised(self) -> None:
        """By this assignment, by the other one, or by both; maybe somebody is there to ring, who shares a
        number with them."""
        for where in self.die.choice(
            [[self.assignment], [self.other], [self.other], [self.assignment, self.other]]
        ):
            early = self.now - self.die.choice([0, 0, 1800, 3599, 3600]) * SECOND - SECOND
            who = self.sharer if where == self.other and self.die.random() < 0.3 else self.customer
            promise(self.world, where, who, self.die.choice([early + SECOND, self.soon()]), early)
        if self.die.random() < 0.7:
            self.run("update follow_up set kept_free_until = :until", until=self.soon())


@pytest.mark.parametrize("part", range(2))
def test_it_is_the_first_second_at_which_the_oracle_lets_them_be_called(world: World, part: int) -> None:
    """And reality agrees: a second before it allocation deals them to nobody, at it they are dealt.

    Planted, each seen to fail: pauses asked without the instant; a limit that ends a second late; a number
    that comes off a list not looked at; promises elsewhere not looked at, by explain and by allocation; the
    mildest zone's calendar instead of the strictest; a register too old by the last zone's midnight instead
    of the first's, or asked now alone; numbers of a version that is still to come, or that have left.
    """
    with world.app.shared() as session:
        ensure_months(session, NOON, ahead=9)
    kinds: set[str] = set()
    for n in range(WORLDS):
        seed = f"{SEED} {part} {n}"
        drawn = Drawn(world.neighbour(), Random(seed))
        wanted = as_the_oracle_says(drawn, kinds, seed)
        if drawn.loaded_later():
            wanted = as_the_oracle_says(drawn, kinds, f"{seed} loaded")
        handed_out(drawn, wanted, seed)
    assert len(kinds) > 4


def as_the_oracle_says(drawn: Drawn, kinds: set[str], seed: str) -> datetime | None:
    """When they are next callable, which explain and the oracle agree on."""
    with drawn.world.work(drawn.now) as work:
        found = explain(work, drawn.assignment, drawn.customer)
        oracle = CallOracle(work, drawn.assignment, drawn.customer)
    wanted = oracle.next_call()
    assert found.callable_at == wanted, (seed, found.answers)
    assert found.callable_now == oracle.may_be_rung(drawn.now) == (wanted == drawn.now), (seed, found)
    kinds |= {one.gate for one in found.answers if not one.open}
    kinds.add("now" if found.callable_now else "later")
    return wanted


def handed_out(drawn: Drawn, wanted: datetime | None, seed: str) -> None:
    """Ticks run and sellers wait: the customer is dealt at `wanted`, and at no second before it."""
    world = drawn.world
    world.seller(drawn.assignment)
    instants = (
        [drawn.now] if wanted is None else [wanted - SECOND, wanted] if wanted > drawn.now else [wanted]
    )
    for at in instants:
        wake_due(world.opener(at))
        open_gates(world.opener(at))
        allocate_all(world.opener(at), drawn.assignment)
        sql = "select count(*) from lease where ended_at is null and customer_id = :c and assignment_id = :a"
        ((dealt,),) = drawn.run(sql, c=drawn.customer, a=drawn.assignment)
        assert bool(dealt) is (at == wanted), (seed, at, wanted)


def test_a_ring_is_judged_by_where_they_were_held_to_be_then(world: World) -> None:
    """Rung on two days of Tokyo's calendar, which are one of Lisbon's, where their zone is verified since.

    Planted: judged by the clock of today; seen to fail.
    """
    with world.app.shared() as session:
        session.execute(text("update crm set hours = cast(:week as jsonb)"), {"week": dumps(ALWAYS)})
    assignment = world.assignment(gap_seconds=0, retry_seconds={"no_answer": 60})
    (customer,) = world.customers(1, assignment, zones=["Asia/Tokyo"])
    wish = NewLimit(1, "customer", "once a day", days=1)
    set_limit(world.opener(NOON - DAY), wish, "Kari")
    seller = world.seller(assignment)
    midnight = NOON + 3 * HOUR  # in Tokyo
    for at in (midnight - 10 * MINUTE, midnight + 10 * MINUTE):
        wake_due(world.opener(at))
        open_gates(world.opener(at))
        say(world, take(world, seller, at).lease_id, Outcome.NO_ANSWER, at)

    def beyond() -> int:
        with world.work(NOON + DAY) as work:
            return rung_beyond_limits(work)

    assert beyond() == 0
    with world.work() as work:
        lisbon = text("update placement set clock_id = :clock where customer_id = :customer")
        work.run(lisbon, clock=world.clock_id, customer=customer)
    assert beyond() == 0
    with world.work() as work:
        work.run(text("update lease set clock_id = :clock"), clock=world.clock_id)
    assert beyond() == 1


def test_of_pauses_the_last_counts_and_without_an_end_nobody_knows(world: World) -> None:
    assignment = world.assignment()
    segment = world.segment(assignment)
    (customer,) = world.customers(1, assignment, segment_id=segment)
    pause(world.opener(), "assignment", assignment, reason="x", author="Kari", ends_at=NOON + HOUR)
    pause(world.opener(), "segment", segment, reason="x", author="Kari", ends_at=NOON + 3 * HOUR)
    with world.work() as work:
        assert explain(work, assignment, customer).callable_at == NOON + 3 * HOUR
    pause(world.opener(), "crm", None, reason="x", author="Kari")
    with world.work() as work:
        assert explain(work, assignment, customer).callable_at is None
