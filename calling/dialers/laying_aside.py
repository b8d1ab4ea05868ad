"""What was told and could not be used is laid aside, masked: dialers' events, reports over the API."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from calling.dialers import heard
from calling.dialers.results import Unusable
from models.masking import mask_text, mask_values
from models.work import Work

ORPHAN = "orphan: there is no such lease"
SOMEBODY_ELSES = "the lease is not this dialer's: somebody else holds or held it"
NOT_THEIRS = "the lease is not theirs who reported it: somebody else holds or held it"

# Told again, or worked off again in vain: the same row, and to be looked at anew.
_KEEP = """
    on conflict (crm_id, told_id) do update
       set problem = excluded.problem, problem_kind = excluded.problem_kind, words = excluded.words,
           read_version = excluded.read_version, set_aside_at = excluded.set_aside_at,
           seen_at = null, seen_by = null, note = null
     where set_aside.seen_at is not null or set_aside.problem <> excluded.problem
"""
_EVENTS = text(f"""
    insert into set_aside (crm_id, told_id, dialer_id, event_id, lease_id, kind, body, problem, problem_kind,
                           words, read_version, set_aside_at)
    select :crm_id, concat(e.dialer_id, ':', e.event_id), e.dialer_id, e.event_id, e.lease_id, e.kind, t.body,
           t.problem, t.problem_kind, array(select jsonb_array_elements_text(t.words)), :version, :now
      from unnest(cast(:events as text[]), cast(:bodies as jsonb[]), cast(:problems as text[]),
                  cast(:kinds as text[]), cast(:words as jsonb[]))
           as t(event_id, body, problem, problem_kind, words)
      join dialer_event e on e.crm_id = :crm_id and e.dialer_id = :dialer_id and e.event_id = t.event_id
     order by e.event_id
    {_KEEP}
""")  # noqa: S608 - our own words
_REPORTS = text(f"""
    insert into set_aside (crm_id, told_id, dialer_id, lease_id, kind, body, problem, problem_kind, told_by,
                           set_aside_at)
    select :crm_id, t.told_id, :dialer_id, t.lease_id, 'report', t.body,
           case when l.id is null then :orphan else :not_theirs end,
           case when l.id is null then 'orphan' else 'foreign' end, :told_by, :now
      from unnest(cast(:told as text[]), cast(:leases as uuid[]), cast(:bodies as jsonb[]))
           as t(told_id, lease_id, body)
      left join lease l on l.crm_id = :crm_id and l.id = t.lease_id
     order by t.told_id
    {_KEEP}
""")  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Aside:
    """An event of the raw inbox of which nothing could be used: its body, and why not."""

    event_id: str
    body: Mapping[str, Any]
    why: Unusable


def lay_events(work: Work, dialer_id: int, events: Sequence[Aside], *, version: int) -> None:
    """Lay events of the raw inbox aside. `version`: of the dialer's causes by which they were read."""
    if events:
        work.run(
            _EVENTS, dialer_id=dialer_id, version=version,
            events=[one.event_id for one in events], bodies=[_masked(one.body) for one in events],
            problems=[mask_text(str(one.why)) for one in events], kinds=[one.why.kind for one in events],
            words=[orjson.dumps(one.why.words).decode() for one in events],
        )  # fmt: skip


def lay_reports(
    work: Work, dialer_id: int | None, reports: Iterable[tuple[UUID, Mapping[str, Any]]], *, told_by: str
) -> None:
    """Lay aside what was reported over the API of leases that are not the reporter's; the same twice is once.

    `reports`: each lease, and what was said of it. `dialer_id`: whose key it was, None: a person's; `told_by`
    is the name of the key.
    """
    told = {
        f"api:{dialer_id or told_by}:{lease}:{said.get('outcome')}": (lease, _masked(said))
        for lease, said in reports
    }
    if told:
        work.run(
            _REPORTS, dialer_id=dialer_id, told_by=told_by, orphan=ORPHAN, not_theirs=NOT_THEIRS,
            told=list(told), leases=[lease for lease, _ in told.values()],
            bodies=[body for _, body in told.values()],
        )  # fmt: skip


def _masked(body: Mapping[str, Any]) -> str:
    """A body as people may see it: without the numbers that somebody may have told in it."""
    return orjson.dumps(mask_values(heard.plain(dict(body)))).decode()
