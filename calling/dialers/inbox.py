"""The raw inbox: dialers' events are journalled as told, acknowledged, and worked off from here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from calling.dialers import heard
from calling.dialers import inbox_sql as sql
from calling.dialers.causes import Known, known_causes
from calling.dialers.heard import ENDED, HUNG_UP, RUNG, TAKEN, Heard
from calling.dialers.laying_aside import ORPHAN, SOMEBODY_ELSES, Aside, lay_events
from calling.dialers.putting_back import NOBODY, put_back
from calling.dialers.results import Unusable, own_word, words_of
from calling.handout import gates, placements
from calling.handout.connected import connect, sellers_named
from calling.handout.give_back import note_rings
from calling.handout.ring import TALK
from calling.handout.wrapping import hung_up
from calling.outcomes.outcome import Report, record_all
from calling.walls.suppress import finish_suppressions
from models import turnstile
from models.errors import Conflict, Unavailable
from models.outcomes import Outcome
from models.work import OpenWork, Work

BATCH = 200

UNREADABLE = "unreadable"
"""The kind of an event that could be journalled only as a text of itself."""

PASSING = (Unavailable, Conflict)
"""Errors that say nothing about an event: the same batch goes through later."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the dialer told it. `at`: business time (UTC). `body`: result, talk_seconds, ..."""

    event_id: str
    lease_id: UUID | None
    kind: str
    at: datetime
    body: Mapping[str, Any]


def journal(work: Work, dialer_id: int, told: Sequence[Told]) -> int:
    """Write events down as told; how many are new. Commit, then acknowledge them to the dialer.

    The same event twice is one event.
    """
    if not told:
        return 0
    return work.run(
        sql.JOURNAL,
        dialer_id=dialer_id,
        events=[heard.name(event.event_id) for event in told],
        leases=[event.lease_id for event in told],
        kinds=[heard.name(event.kind) for event in told],
        bodies=[orjson.dumps({**heard.plain(event.body), "at": event.at}).decode() for event in told],
    ).rowcount


def journal_all(open_work: OpenWork, dialer_id: int, told: Sequence[Told]) -> None:
    """Write events down and commit. One that cannot be written keeps none of the others out."""
    try:
        with open_work() as work:
            journal(work, dialer_id, told)
    except PASSING:
        raise
    except Exception as error:
        if len(told) > 1:
            for event in told:
                journal_all(open_work, dialer_id, [event])
        elif told[0].kind != UNREADABLE:
            raw = {"kind": told[0].kind, "body": repr(told[0].body), "flaw": repr(error)}
            journal_all(open_work, dialer_id, [replace(told[0], kind=UNREADABLE, body=raw)])
        else:
            raise


def asks_for_no_calls(open_work: OpenWork, dialer_id: int, told: Iterable[Told]) -> bool:
    """Whether one of these says that somebody wants no more calls: its ack waits for the wall (P8).

    The map of the dialer's causes is read only if one of them is told in other words than ours.
    """
    ended = [one.body for one in told if one.kind in ENDED]
    if any(own_word(body) is Outcome.DO_NOT_CALL for body in ended):
        return True
    words = {word for body in ended if own_word(body) is None for word in words_of(heard.plain(body))}
    if not words:
        return False
    with open_work() as work:
        causes = known_causes(work, dialer_id).outcomes
    return any(causes.get(word) is Outcome.DO_NOT_CALL for word in words)


def process_to_the_wall(open_work: OpenWork, dialer_id: int) -> None:
    """Work off what a dialer has told; when this returns, its do-not-calls are walls.

    Another process may have recorded one of them just now, and not have built its wall yet.
    """
    process_inbox(open_work, dialer_id)
    finish_suppressions(open_work)


def process_inbox(open_work: OpenWork, dialer_id: int) -> int:
    """Work off what a dialer has told, in batches of 200; how many events. Safe to run twice at once.

    At the end what lay aside for want of a word is looked at again, if the map of causes is another by now.
    """
    done, more = 0, True
    while more:
        with open_work() as work:
            rows = work.run(sql.UNPROCESSED, dialer_id=dialer_id, batch=BATCH).all()
            causes = known_causes(work, dialer_id) if _asked(rows) else OURS_ALONE
            more = bool(rows) or put_back(work, dialer_id) != NOBODY
        if rows:
            _work_off(open_work, dialer_id, rows, causes)
        done += len(rows)
    return done


OURS_ALONE = Known(0, {})
"""Of a batch in which every call ended in our own words: nobody has to ask a map."""


def _asked(rows: Iterable[Row[Any]]) -> bool:
    return any(row.kind in ENDED and own_word(row.body) is None for row in rows)


def _work_off(open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]], causes: Known) -> None:
    """A batch; should it fail, each by itself: what cannot be used is set aside, nothing behind it waits."""
    try:
        _process(open_work, dialer_id, rows, causes)
    except PASSING:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the flaw is, it is that event's
        if len(rows) > 1:
            for row in rows:
                _work_off(open_work, dialer_id, [row], causes)
        else:
            flaw = Unusable(f"it could not be processed: {error!r}", "flaw")
            _done(open_work, dialer_id, rows, {}, {rows[0].event_id: flaw}, causes)


def _process(open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]], causes: Known) -> None:
    """Takes, rings, talks, then outcomes: each is idempotent, so a crash between them is harmless."""
    good, problems, unused = _read(rows, causes)
    with open_work() as work:
        leases = {lease.id: lease for lease in work.run(sql.LEASES, leases=[h.lease_id for h in good])}
        turnstile.pass_shared(work, (x.assignment_id for x in leases.values() if x.dialer_id == dialer_id))
        known = []
        for event in good:
            lease = leases.get(event.lease_id)
            if lease is None:
                unused[event.event_id] = Unusable(ORPHAN, "orphan")
            elif lease.dialer_id != dialer_id:
                unused[event.event_id] = Unusable(SOMEBODY_ELSES, "foreign")
            else:
                known.append(_not_before(event, lease.offered_at))
        _take(work, [event for event in known if event.kind in TAKEN])
        # Who hung up had been rung, even if that is told later.
        _ring(work, [event for kinds in (RUNG, HUNG_UP) for event in known if event.kind in kinds])
    _talk(open_work, known, problems)
    reports = [
        Report(x.lease_id, x.result, "dialer", x.talk_seconds, x.rung_at, x.promise)
        for x in known
        if x.result is not None
    ]
    record_all(open_work, reports)
    _done(open_work, dialer_id, rows, problems, unused, causes)


def _read(
    rows: Sequence[Row[Any]], causes: Known
) -> tuple[list[Heard], dict[str, str | None], dict[str, Unusable]]:
    """The events that can be used; what is odd of each, None: nothing; and why the others cannot be used."""
    good: list[Heard] = []
    problems: dict[str, str | None] = {}
    unused: dict[str, Unusable] = {}
    for row in rows:
        try:
            good.append(event := heard.read(row, causes.outcomes))
            problems[row.event_id] = event.problem
        except Unusable as flaw:
            unused[row.event_id] = flaw
    return good, problems, unused


def _not_before(event: Heard, offered_at: datetime) -> Heard:
    """Nothing rings before it was offered; a dialer's own clock may go wrong."""
    return replace(
        event, at=max(event.at, offered_at), rung_at=event.rung_at and max(event.rung_at, offered_at)
    )


def _done(
    open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]], problems: Mapping[str, str | None],
    unused: Mapping[str, Unusable], causes: Known,
) -> None:  # fmt: skip
    said = {**problems, **{event: str(why) for event, why in unused.items()}}
    with open_work() as work:
        done = {"events": list(said), "problems": list(said.values())}
        events = set(work.run(sql.DONE, dialer_id=dialer_id, **done).scalars())
        # Of two who work off the same batch, who comes second finds it done, and sets nothing aside.
        aside = [
            Aside(row.event_id, row.body, unused[row.event_id])
            for row in rows
            if row.event_id in events and row.event_id in unused
        ]
        lay_events(work, dialer_id, aside, version=causes.version)


def _talk(open_work: OpenWork, events: Sequence[Heard], problems: dict[str, str | None]) -> None:
    """To whom calls were put through, and which are over; a seller whom nobody knows is a problem.

    A transaction of its own: leases are locked before the placements that a ring has locked.
    """
    put_through = [event for event in events if event.seller is not None]
    over = [(event.lease_id, event.at) for event in events if event.kind in HUNG_UP]
    if not put_through and not over:
        return
    with open_work() as work:
        leases = [*(event.lease_id for event in put_through), *(lease for lease, _ in over)]
        turnstile.pass_shared(work, (lease.assignment_id for lease in work.run(sql.LEASES, leases=leases)))
        named = sellers_named(work, [event.seller for event in put_through if event.seller])
        connect(work, [(x.lease_id, named[x.seller]) for x in put_through if x.seller in named])
        hung_up(work, over)
    for event in put_through:
        if event.seller not in named:
            problems[event.event_id] = heard.left_out(event)


def _take(work: Work, events: Sequence[Heard]) -> None:
    if events:
        work.run(sql.TAKE, leases=[x.lease_id for x in events], times=[x.at for x in events])


def _ring(work: Work, events: Sequence[Heard]) -> None:
    """It rang when the earliest says so, in whatever order they come."""
    first: dict[UUID, datetime] = {}
    for event in events:
        first[event.lease_id] = min(event.at, first.get(event.lease_id, event.at))
    if not first:
        return
    rung = list(work.run(sql.RING, leases=list(first), times=list(first.values()), talk=TALK).scalars())
    if rung:
        touched = {customer_id for _, customer_id in placements.lock_touched(work, rung)}
        note_rings(work, rung)
        gates.restamp(work, touched)
