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
from calling.dialers.heard import ENDED, RUNG, TAKEN, Heard
from calling.dialers.set_aside import ORPHAN, SOMEBODY_ELSES, keep_events
from calling.handout import gates, placements
from calling.handout.give_back import note_rings
from calling.handout.ring import TALK
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


def asks_for_no_calls(told: Iterable[Told]) -> bool:
    """Whether one of these says that somebody wants no more calls: its ack waits for the wall (P8)."""
    return any(t.kind in ENDED and t.body.get("result") == Outcome.DO_NOT_CALL for t in told)


def process_to_the_wall(open_work: OpenWork, dialer_id: int) -> None:
    """Work off what a dialer has told; when this returns, its do-not-calls are walls.

    Another process may have recorded one of them just now, and not have built its wall yet.
    """
    process_inbox(open_work, dialer_id)
    finish_suppressions(open_work)


def process_inbox(open_work: OpenWork, dialer_id: int) -> int:
    """Work off what a dialer has told, in batches of 200; how many events. Safe to run twice at once."""
    done = 0
    while True:
        with open_work() as work:
            rows = work.run(sql.UNPROCESSED, dialer_id=dialer_id, batch=BATCH).all()
        if not rows:
            return done
        _work_off(open_work, dialer_id, rows)
        done += len(rows)


def _work_off(open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]]) -> None:
    """A batch; should it fail, each by itself: what cannot be used is set aside, nothing behind it waits."""
    try:
        _process(open_work, dialer_id, rows)
    except PASSING:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the flaw is, it is that event's
        if len(rows) > 1:
            for row in rows:
                _work_off(open_work, dialer_id, [row])
        else:
            flaw = {rows[0].event_id: f"it could not be processed: {error!r}"}
            _done(open_work, dialer_id, flaw, unused=list(flaw))


def _process(open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]]) -> None:
    """Takes, then rings, then outcomes: each is idempotent, so a crash between them is harmless."""
    good, problems, unused = _read(rows)
    with open_work() as work:
        leases = {lease.id: lease for lease in work.run(sql.LEASES, leases=[h.lease_id for h in good])}
        turnstile.pass_shared(work, (x.assignment_id for x in leases.values() if x.dialer_id == dialer_id))
        known = []
        for event in good:
            lease = leases.get(event.lease_id)
            if lease is None or lease.dialer_id != dialer_id:
                problems[event.event_id] = ORPHAN if lease is None else SOMEBODY_ELSES
                unused.append(event.event_id)
            else:
                known.append(_not_before(event, lease.offered_at))
        _take(work, [event for event in known if event.kind in TAKEN])
        _ring(work, [event for event in known if event.kind in RUNG])
    reports = [
        Report(x.lease_id, x.result, "dialer", x.talk_seconds, x.rung_at, x.promise)
        for x in known
        if x.result is not None
    ]
    record_all(open_work, reports)
    _done(open_work, dialer_id, problems, unused)


def _read(rows: Sequence[Row[Any]]) -> tuple[list[Heard], dict[str, str | None], list[str]]:
    """The events that can be used; the problem of each, None: there is none; and which cannot be used."""
    good: list[Heard] = []
    problems: dict[str, str | None] = {}
    unused: list[str] = []
    for row in rows:
        try:
            good.append(event := heard.read(row))
            problems[row.event_id] = event.problem
        except heard.Unusable as flaw:
            problems[row.event_id] = str(flaw)
            unused.append(row.event_id)
    return good, problems, unused


def _not_before(event: Heard, offered_at: datetime) -> Heard:
    """Nothing rings before it was offered; a dialer's own clock may go wrong."""
    return replace(
        event, at=max(event.at, offered_at), rung_at=event.rung_at and max(event.rung_at, offered_at)
    )


def _done(
    open_work: OpenWork, dialer_id: int, problems: Mapping[str, str | None], unused: Sequence[str]
) -> None:
    with open_work() as work:
        done = {"events": list(problems), "problems": list(problems.values())}
        events = set(work.run(sql.DONE, dialer_id=dialer_id, **done).scalars())
        # Of two who work off the same batch, who comes second finds it done, and sets nothing aside.
        keep_events(work, dialer_id, [event for event in unused if event in events])


def _take(work: Work, events: Sequence[Heard]) -> None:
    if events:
        work.run(sql.TAKE, leases=[x.lease_id for x in events], times=[x.at for x in events])


def _ring(work: Work, events: Sequence[Heard]) -> None:
    first = {event.lease_id: event for event in sorted(events, key=lambda event: event.at, reverse=True)}
    if not first:
        return
    times = [event.at for event in first.values()]
    rung = list(work.run(sql.RING, leases=list(first), times=times, talk=TALK).scalars())
    if rung:
        touched = {customer_id for _, customer_id in placements.lock_touched(work, rung)}
        note_rings(work, rung)
        gates.restamp(work, touched)
