"""The raw inbox: dialers' events are journalled as told, acknowledged, and worked off from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from calling import gates, placements
from calling.give_back import note_rings
from calling.outcome import Report, record_all
from calling.ring import TALK
from models import turnstile
from models.outcomes import Outcome
from models.work import OpenWork, Work

BATCH = 200

TAKEN, RUNG, ENDED = ("taken",), ("ringing", "answered", "connected"), ("ended",)
NOTED = ("key", "intent")
"""Kinds that change no lease: they stay in the journal, for who reads the call later."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the dialer told it. `at`: business time (UTC). `body`: result, talk_seconds, ..."""

    event_id: str
    lease_id: UUID | None
    kind: str
    at: datetime
    body: Mapping[str, Any]


_JOURNAL = text("""
    insert into dialer_event (crm_id, dialer_id, event_id, lease_id, kind, body, received_at)
    select :crm_id, :dialer_id, t.event_id, t.lease_id, t.kind, t.body, :now
      from unnest(cast(:events as text[]), cast(:leases as uuid[]), cast(:kinds as text[]),
                  cast(:bodies as jsonb[])) as t(event_id, lease_id, kind, body)
     order by t.event_id
    on conflict (crm_id, dialer_id, event_id) do nothing
""")
_UNPROCESSED = text("""
    select event_id, lease_id, kind, body from dialer_event
     where crm_id = :crm_id and dialer_id = :dialer_id and processed_at is null
     order by received_at, event_id limit :batch
""")
_LEASES = text("""
    select id, assignment_id, customer_id, state from lease where crm_id = :crm_id and id = any(:leases)
""")
_TAKE = text("""
    with locked as (
        select id from lease where crm_id = :crm_id and id = any(:leases) and state = 'offered'
         order by id for update
    )
    update lease l set state = 'taken', taken_at = t.at
      from locked, unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at)
     where l.crm_id = :crm_id and l.id = locked.id and l.id = t.id
""")
# A ring is a ring even if it is told after the lease has ended: limits and the gap count it.
_RING = text("""
    with locked as (
        select id from lease where crm_id = :crm_id and id = any(:leases) and rung_at is null
         order by id for update
    )
    update lease l
       set rung_at = t.at, taken_at = coalesce(l.taken_at, t.at),
           state = case when l.ended_at is null then 'rung' else l.state end,
           expires_at = t.at + :talk
      from locked, unnest(cast(:leases as uuid[]), cast(:times as timestamptz[])) as t(id, at)
     where l.crm_id = :crm_id and l.id = locked.id and l.id = t.id
    returning l.id
""")
_DONE = text("""
    update dialer_event set processed_at = :now, problem = t.problem
      from unnest(cast(:events as text[]), cast(:problems as text[])) as t(event_id, problem)
     where crm_id = :crm_id and dialer_id = :dialer_id and dialer_event.event_id = t.event_id
       and processed_at is null
""")


def journal(work: Work, dialer_id: int, told: Sequence[Told]) -> int:
    """Write events down as told; how many are new. Commit, then acknowledge them to the dialer.

    The same event twice is one event.
    """
    if not told:
        return 0
    return work.run(
        _JOURNAL,
        dialer_id=dialer_id,
        events=[event.event_id for event in told],
        leases=[event.lease_id for event in told],
        kinds=[event.kind for event in told],
        bodies=[orjson.dumps({**event.body, "at": event.at}).decode() for event in told],
    ).rowcount


def process_inbox(open_work: OpenWork, dialer_id: int) -> int:
    """Work off what a dialer has told, in batches of 200; how many events. Safe to run twice at once."""
    done = 0
    while True:
        with open_work() as work:
            rows = work.run(_UNPROCESSED, dialer_id=dialer_id, batch=BATCH).all()
        if not rows:
            return done
        _process(open_work, dialer_id, rows)
        done += len(rows)


def _process(open_work: OpenWork, dialer_id: int, rows: Sequence[Row[Any]]) -> None:
    """Takes, then rings, then outcomes: each is idempotent, so a crash between them is harmless."""
    problems = {row.event_id: _problem(row) for row in rows}
    good = [row for row in rows if problems[row.event_id] is None]
    with open_work() as work:
        leases = {lease.id: lease for lease in work.run(_LEASES, leases=[r.lease_id for r in good])}
        turnstile.pass_shared(work, (lease.assignment_id for lease in leases.values()))
        known = [row for row in good if row.lease_id in leases]
        _take(work, [row for row in known if row.kind in TAKEN])
        _ring(work, [row for row in known if row.kind in RUNG])
    reports = [_report(row) for row in known if row.kind in ENDED]
    orphans = {recorded.lease_id for recorded in record_all(open_work, reports) if recorded.kind == "orphan"}
    for row in good:
        if row.lease_id not in leases or row.lease_id in orphans:
            problems[row.event_id] = "orphan: there is no such lease"
    with open_work() as work:
        work.run(_DONE, dialer_id=dialer_id, events=list(problems), problems=list(problems.values()))


def _problem(row: Row[Any]) -> str | None:
    """Why an event cannot be used, or None."""
    if row.kind not in (*TAKEN, *RUNG, *ENDED, *NOTED):
        return f"unknown kind {row.kind!r}"
    if row.lease_id is None:
        return "it names no lease"
    if row.kind in ENDED and row.body.get("result") not in set(Outcome):
        return f"unknown result {row.body.get('result')!r}"
    return None


def _at(row: Row[Any]) -> datetime:
    return datetime.fromisoformat(row.body["at"])


def _take(work: Work, rows: Sequence[Row[Any]]) -> None:
    if rows:
        work.run(_TAKE, leases=[row.lease_id for row in rows], times=[_at(row) for row in rows])


def _ring(work: Work, rows: Sequence[Row[Any]]) -> None:
    first = {row.lease_id: row for row in reversed(rows)}
    if not first:
        return
    times = [_at(row) for row in first.values()]
    rung = list(work.run(_RING, leases=list(first), times=times, talk=TALK).scalars())
    if rung:
        touched = {customer_id for _, customer_id in placements.lock_touched(work, rung)}
        note_rings(work, rung)
        gates.restamp(work, touched)


def _report(row: Row[Any]) -> Report:
    rung_at = row.body.get("rung_at")
    return Report(
        row.lease_id,
        Outcome(row.body["result"]),
        "dialer",
        talk_seconds=row.body.get("talk_seconds"),
        rung_at=datetime.fromisoformat(rung_at) if rung_at else _at(row),
    )
