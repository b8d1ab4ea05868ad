"""A second author's reading of design.md 2-3 and docs/{states,limits,numbers,pauses}.md, as dicts.

Nothing here is taken from the product's code but how long things last, and nothing of it is asked;
test_machine.py holds both against each other. Small enough to be read at a sitting: one zone, flat rests,
rolling limits, no promised calls. Whom a hand-out chooses is the product's to say; the model judges whether
it was allowed to, and whether "nobody" is true.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)
TALK = HOUR  # after a ring an outcome is awaited so long
GIVEN_UP = timedelta(minutes=2)  # after an order can ring no more
IN_TOUCH = timedelta(minutes=5)  # since a dialer said how many it wants
DEPTH = 2  # cards in a seller's list
ROUND = 3  # calls in a row without an answer, then the next number has its turn
UNRUNG = ("offered", "taken")
RUNGABLE = ("unverified", "good")


class Word(NamedTuple):
    """A row of "What an outcome does" in docs/states.md."""

    closes: bool = False
    rings: bool = True
    counts: bool = True
    reached: bool = False
    always: bool = False
    proves: bool = False
    number: str | None = None


WORDS = {
    "answered": Word(reached=True, proves=True),
    "no_answer": Word(),
    "busy": Word(),
    "machine": Word(),
    "abandoned": Word(reached=True),
    "congestion": Word(rings=False, counts=False),
    "failed": Word(rings=False, counts=False),
    "invalid_number": Word(rings=False, always=True, number="disconnected"),
    "wrong_person": Word(reached=True, number="wrong_person"),
    "no_sale": Word(closes=True, reached=True, proves=True),
    "follow_up": Word(reached=True, proves=True),  # nobody here says when
    "sale": Word(closes=True, reached=True, proves=True, always=True),
    "do_not_call": Word(closes=True, reached=True, proves=True, always=True),
    "language": Word(reached=True),
    "key_pressed": Word(reached=True, proves=True),
    "intent": Word(reached=True, proves=True),
}


class Limit(NamedTuple):
    """At most so many rings to a customer, or to a number, in so long."""

    scope: str
    most: int
    window: timedelta


@dataclass
class Job:
    """An assignment. `segments` by priority, Unsegmented last; `tried`: of who has had an attempt."""

    id: int
    gap: timedelta
    most: int
    hold: timedelta
    offer: timedelta
    rest: dict[str, timedelta]
    segments: list[int]
    tried: int | None


@dataclass
class Place:
    """A customer in an assignment. `back`: what a lease that ends without an outcome leaves them in."""

    job: Job
    customer: int
    state: str = "ready"
    due: datetime | None = None
    status: str = "new"
    lease: "Card | None" = None
    back: tuple[str, datetime | None] | None = None
    hold: int | None = None
    closed_by: "Card | None" = None
    cards: "list[Card]" = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return sum(WORDS[card.said].counts for card in self.cards if card.said)

    @property
    def segment(self) -> int:
        by_rule = self.job.tried if self.job.tried and self.attempts else self.job.segments[-1]
        return self.hold or by_rule

    @property
    def going_to(self) -> tuple[str, datetime | None]:
        return self.back or (self.state, self.due)

    def put(self, state: str, due: datetime | None, by: "Card") -> None:
        """What an outcome makes of them; whoever is held meanwhile goes back to it."""
        self.closed_by = by if state == "closed" else None
        if self.lease is not None:
            self.back = (state, due)
        else:
            self.state, self.due = state, due


@dataclass
class Card:
    """A lease. `words` are what was told of it; the last one is in force."""

    id: str
    place: Place
    seller: int | None
    dialer: int | None
    number: str
    segment: int
    offered_at: datetime
    ring_by: datetime
    expires: datetime
    state: str = "offered"
    sent: bool = False
    wanted_back: bool = False
    rung_at: datetime | None = None
    in_peace_from: datetime | None = None
    ended_by: str | None = None
    words: list[str] = field(default_factory=list)

    @property
    def said(self) -> str | None:
        return self.words[-1] if self.words else None

    @property
    def live(self) -> bool:
        return self.state != "ended"


class Hours(NamedTuple):
    """Weekdays alone, with the margin at both ends already taken off; one zone, in winter that of UTC."""

    opens: timedelta
    shuts: timedelta

    def shuts_at(self, now: datetime) -> datetime | None:
        """When the hours that are open now end; None: they are shut."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        open_now = now.weekday() < 5 and day + self.opens <= now < day + self.shuts
        return day + self.shuts if open_now else None


@dataclass
class Holder:
    """A seller, or a dialer with how many orders it wanted when it was last heard."""

    kind: str
    id: int
    job: Job | None
    segment: int | None = None
    there: bool = True
    wanted: int = 0
    heard_at: datetime | None = None


class Model:
    """All that is true, at `now`."""

    def __init__(self, now: datetime, hours: Hours, limits: Iterable[Limit], jobs: Iterable[Job]) -> None:
        self.now, self.hours, self.limits = now, hours, list(limits)
        self.jobs = {job.id: job for job in jobs}
        self.places: dict[tuple[int, int], Place] = {}
        self.numbers: dict[int, dict[str, str]] = {}  # customer -> number -> its state, in the list's order
        self.sellers: dict[int, Holder] = {}
        self.dialers: dict[int, Holder] = {}
        self.cards: dict[str, Card] = {}
        self.pauses: set[tuple[str, int | None]] = set()
        self.do_not_call: set[str | int] = set()

    # What stops whom.

    def rings(self, scope: str, subject: str | int) -> list[Card]:
        """The rings to a number, or to a customer at whatever number."""
        return [
            card
            for card in self.cards.values()
            if card.rung_at and subject == (card.number if scope == "number" else card.place.customer)
        ]

    def stops(self, job: Job, customer: int, number: str) -> dict[str, datetime | None]:
        """What keeps this number of this customer from being rung for a job, and until when."""
        found: dict[str, datetime | None] = {}
        if self.numbers[customer][number] not in RUNGABLE:
            found["no_number"] = None
        if self.do_not_call & {customer, number}:
            found["suppressed"] = None
        if self.places[customer, job.id].attempts >= job.most:
            found["attempts"] = None
        subjects: tuple[tuple[str, str | int], ...] = (("customer", customer), ("number", number))
        for scope, subject in subjects:
            for card in self.rings(scope, subject):
                end = (card.in_peace_from or self.now) + max(card.place.job.gap, job.gap)
                found["gap"] = max(end, found.get("gap") or end)
        for limit in self.limits:
            rung = sorted(
                c.rung_at for c in self.rings(limit.scope, dict(subjects)[limit.scope]) if c.rung_at
            )
            if len(rung) >= limit.most:
                end = rung[-limit.most] + limit.window
                found["limit"] = max(end, found.get("limit") or end)
        return {name: until for name, until in found.items() if until is None or until > self.now}

    def choose(self, job: Job, customer: int) -> tuple[str, set[str]] | None:
        """The number to ring, and what stops it; None: no number is left."""
        found = []
        for place, (number, state) in enumerate(self.numbers[customer].items()):
            stops = self.stops(job, customer, number)
            if number in self.do_not_call or "no_number" in stops:
                continue
            free_at = max((until for until in stops.values() if until), default=self.now)
            rounds = self.unanswered(customer, number) // ROUND
            found.append((free_at, rounds, state != "good", place, number, set(stops)))
        return min(found)[-2:] if found else None

    def unanswered(self, customer: int, number: str) -> int:
        """Calls in a row without an answer, the last ones."""
        count = 0
        calls = [card for card in self.rings("customer", customer) if card.number == number and card.said]
        for card in sorted(calls, key=lambda one: one.id):
            word = WORDS[card.said or ""]
            count = 0 if word.reached else count + word.rings
        return count

    def paused(self, place: Place, holder: Holder | None = None) -> set[tuple[str, int | None]]:
        """The pauses that stop them."""
        about = {("crm", None), ("assignment", place.job.id), ("segment", place.segment)}
        if holder:
            about.add((holder.kind, holder.id))
        return self.pauses & about

    def claimed(self) -> tuple[set[int], set[str]]:
        """Customers and numbers that somebody holds."""
        customers = {card.place.customer for card in self.live()}
        return customers, {number for customer in customers for number in self.numbers[customer]}

    def live(self) -> Iterator[Card]:
        return (card for card in self.cards.values() if card.live)

    def of(self, holder: Holder) -> list[Card]:
        """What somebody holds, in the order of their list."""
        mine = (card for card in self.live() if holder.id == getattr(card, holder.kind))
        return sorted(mine, key=lambda card: card.id)

    def shut(self, place: Place, number: str) -> set[str]:
        """Why nobody may ring them there now, whoever it is."""
        why: set[str] = set(self.stops(place.job, place.customer, number))
        why |= {"paused"} if self.paused(place) else set()
        why |= {"window"} if self.hours.shuts_at(self.now) is None else set()
        why |= {"closed"} if place.going_to[0] == "closed" else set()
        return why

    # Whom may be dealt.

    def free_for(self, holder: Holder) -> list[Place]:
        """Whom this holder could be dealt now, the first ones first."""
        job, (customers, numbers) = holder.job, self.claimed()
        if job is None or not holder.there:
            return []
        found = [
            place
            for place in self.places.values()
            if place.job is job
            and place.state == "ready"
            and holder.segment in (None, place.segment)
            and place.customer not in customers
            and not numbers & set(self.numbers[place.customer])
            and not self.paused(place, holder)
            and self.hours.shuts_at(self.now)
            and (chosen := self.choose(job, place.customer))
            and not chosen[1]
        ]
        return sorted(found, key=lambda p: (job.segments.index(p.segment), p.attempts, p.customer))

    def stranded_for(self, holder: Holder) -> list[Card]:
        """Cards of colleagues that could be taken back for somebody who has none."""
        return [
            card
            for card in self.live()
            if card.seller not in (None, holder.id)
            and card.state == "offered"
            and card.place.job is holder.job
            and holder.segment in (None, card.segment)
            and len(self.of(self.sellers[card.seller or 0])) > 1
            and not self.paused(card.place, holder)
            and card.ring_by > self.now
            and self.hours.shuts_at(self.now)
        ]

    def is_top(self, card: Card, holder: Holder) -> bool:
        """Whether a card of somebody's list may be shown to them."""
        chosen = self.choose(card.place.job, card.place.customer)
        return not (self.is_over(card) or self.paused(card.place, holder) or chosen is None)

    def is_over(self, card: Card) -> bool:
        """Whether a card that is offered may not be rung any more as it is."""
        chosen = self.choose(card.place.job, card.place.customer)
        return chosen is None or chosen != (card.number, set()) or card.place.going_to[0] == "closed"

    def deal(self, card: Card, holder: Holder) -> None:
        """A lease has come to be: it was right to make it."""
        place = card.place
        assert place in self.free_for(holder), f"dealt {place} to {holder}"
        assert self.choose(place.job, place.customer) == (card.number, set()), f"another number than {card}"
        assert (card.segment, card.offered_at) == (place.segment, self.now)
        shuts = self.hours.shuts_at(self.now)
        assert shuts is not None
        if card.seller:
            assert (card.ring_by, card.expires) == (shuts, min(shuts, self.now + place.job.hold))
            assert len([one for one in self.of(holder) if one.state == "offered"]) < DEPTH
        else:
            assert self.now < card.ring_by <= min(shuts, self.now + place.job.offer)
            assert card.expires == card.ring_by + GIVEN_UP
        place.state, place.due, place.back, place.lease = "leased", place.due, (place.state, place.due), card
        place.cards.append(card)
        self.cards[card.id] = card

    # What ends a lease.

    def give_back(self, card: Card, how: str) -> None:
        """Unrung: back to where they came from."""
        place = card.place
        assert place.back is not None
        self._end(card, how)
        place.state, place.due = place.back
        place.back = None

    def give_up(self, card: Card) -> None:
        """Nobody knows what came of it: it counts as a ring now, and waits the gap from then."""
        place, (state, due) = card.place, card.place.going_to
        card.rung_at, card.in_peace_from = card.rung_at or self.now, self.now
        self._end(card, "unconfirmed")
        place.back = None
        rest = self.now + place.job.gap
        if state == "resting" and due:  # a late word has put them off for longer
            rest = max(rest, due)
        place.state, place.due = ("closed", None) if state == "closed" else ("resting", rest)

    def recall(self, card: Card, states: tuple[str, ...] = UNRUNG) -> None:
        """From a seller at once, and what was not sent; what is outside is asked for."""
        if card.sent and card.live:
            card.wanted_back = True
        elif card.state in states:
            self.give_back(card, "recalled")

    def _end(self, card: Card, how: str) -> None:
        card.state, card.ended_by, card.place.lease, card.wanted_back = "ended", how, None, False

    def ring(self, card: Card, at: datetime) -> None:
        """The telephone rings, or rang at an instant."""
        rang = min(max(at, card.offered_at), self.now)
        if card.rung_at is not None:
            if card.ended_by != "unconfirmed":  # the earliest word of it is right
                card.rung_at = min(card.rung_at, rang)
        else:
            card.rung_at = card.in_peace_from = rang
            if card.live:
                card.state, card.expires = "rung", card.rung_at + TALK

    # What an outcome does.

    def say(self, card: Card, said: str, by: str, at: datetime | None = None) -> str:
        """The first word of a lease, whenever it comes; a seller's on a dialer's call, once; or nothing new.

        Whose the first one was is not kept, so a seller's may complete their own.
        """
        before = card.said
        if before and not (by == "seller" and card.dialer and len(card.words) == 1):
            return "again"
        word, place = WORDS[said], card.place
        overtaken = any(one.id > card.id and one.words for one in place.cards)
        card.words.append(said)
        if word.rings and card.rung_at is None:
            card.rung_at = card.in_peace_from = min(max(at or self.now, card.offered_at), self.now)
        if card.live:
            self._end(card, "outcome")
            place.state, place.due = place.back or ("ready", None)
            place.back = None
        self._learn(card, word, WORDS[before] if before else None)
        self._settle(card, before, word, takes=word.always or not overtaken)
        if place.lease:
            self.recall(place.lease, ("offered",))
        if said == "do_not_call":
            self.suppress(card.number)
            self.suppress(place.customer)
        return "completion" if before else "first"

    def _settle(self, card: Card, before: str | None, word: Word, *, takes: bool) -> None:
        """Status and state, of whoever is not closed by another call."""
        place, job, said = card.place, card.place.job, card.said or ""
        if takes:
            place.status = said
        if place.going_to[0] == "closed" and (place.closed_by is not card or before == "do_not_call"):
            return
        left = any(state in RUNGABLE for state in self.numbers[place.customer].values())
        closes = word.closes or (word.number and not left)
        if (takes and closes) or place.attempts >= job.most:
            place.put("closed", None, card)
        elif takes:
            place.put("resting", self.now + (timedelta() if word.number else job.rest[said]), card)

    def _learn(self, card: Card, word: Word, before: Word | None) -> None:
        """What the call tells of its number: out of service for all who have it, the wrong person of one."""
        number, theirs = card.number, self.numbers[card.place.customer]
        sharers = [numbers for numbers in self.numbers.values() if number in numbers]
        if before and before.number == "disconnected" and word.number != "disconnected":
            for numbers in sharers:
                numbers[number] = "unverified" if numbers[number] == "disconnected" else numbers[number]
        if word.number == "wrong_person":
            theirs[number] = "wrong_person"
        elif word.number and not self._answered_later(card):
            for numbers in sharers:
                numbers[number] = "disconnected" if numbers[number] in RUNGABLE else numbers[number]
        if word.proves and theirs[number] == "unverified":
            theirs[number] = "good"
        for other in [one for one in self.live() if word.number == "disconnected" and one.number == number]:
            if self.numbers[other.place.customer][number] == "disconnected":
                self.recall(other, ("offered",))

    def _answered_later(self, card: Card) -> bool:
        """Whether somebody, whoever it was, has answered at this number by a later call."""
        later = (one for one in self.rings("number", card.number) if one.id > card.id)
        return any(one.said and WORDS[one.said].reached for one in later)

    # What people do.

    def suppress(self, subject: str | int) -> list[Card]:
        """Whom it caught."""
        self.do_not_call.add(subject)
        caught = [card for card in self.live() if subject in (card.number, card.place.customer)]
        for card in caught:
            self.recall(card)
        return caught

    def pause(self, scope: str, target: int | None) -> list[Card]:
        """Whom it caught."""
        self.pauses.add((scope, target))
        caught = [card for card in self.live() if scope == "crm" or target in self._about(card, scope)]
        for card in caught:
            self.recall(card)
        return caught

    def _about(self, card: Card, scope: str) -> list[int | None]:
        """What of this scope a card belongs to: a segment it was dealt from, or in which they stand now."""
        about: dict[str, list[int | None]] = {
            "assignment": [card.place.job.id], "segment": [card.segment, card.place.segment],
            "seller": [card.seller], "dialer": [card.dialer],
        }  # fmt: skip
        return about[scope]

    def hold(self, place: Place, segment: int | None) -> None:
        """By hand, or the rules again; what is only offered comes back."""
        before, place.hold = place.segment, segment
        if place.segment != before and place.lease:
            self.recall(place.lease, ("offered",))

    def be(self, holder: Holder, *, there: bool, job: Job | None, segment: int | None) -> None:
        """Gone, or at other work: what they hold unrung goes back."""
        holder.there, holder.job, holder.segment = there, job, segment
        for card in self.of(holder):
            stays = there and card.place.job is job and segment in (None, card.segment)
            if card.state in UNRUNG and not stays:
                self.give_back(card, "released")

    def tick(self) -> None:
        """What time alone does: rests that are over, leases that are."""
        for place in self.places.values():
            if place.state == "resting" and place.due and place.due <= self.now:
                place.state, place.due = "ready", None
        for card in [one for one in self.live() if one.expires <= self.now]:
            if card.state == "rung" or card.sent:
                self.give_up(card)
            else:
                self.give_back(card, "expired")
