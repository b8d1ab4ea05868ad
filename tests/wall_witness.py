"""A witness of walls: the database notes what begins, and judges by versions what began behind a pause.

No clock is asked. What begins has the id of its transaction; a pause the snapshot of its last transaction
before it answers, and its lift the id of one of its own. What began and is not in that snapshot came behind
the answer; it may have, if what it saw when it wrote has the lift.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from interleaving import instead_of_run
from sqlalchemy import TextClause, make_url, text
from world import World

from calling.handout.recalling import WallAnswer
from calling.walls import pause as pausing
from calling.walls import shared_pauses
from models.work import Work

# In a schema of its own: the audit looks at the tables of ours.
_LAY = """
create schema witness;
grant usage on schema witness to ringeliste_app;
create table witness.begun (lease_id uuid not null, what text not null, crm_id bigint not null,
    assignment_id bigint not null, segment_id bigint not null, seller_id bigint, dialer_id bigint,
    xid xid8 not null, seen pg_snapshot not null);
create index on witness.begun (xid);
create table witness.stood (round int not null, crm_id bigint, scope text not null, target_id bigint,
    answered pg_snapshot not null, lifted_by xid8 not null, over pg_snapshot not null,
    unknown uuid[] not null);
create function witness.note() returns trigger language plpgsql security definer
    set search_path = witness, pg_temp as $$
declare
    things text[] := '{}';
begin
    if tg_op = 'INSERT' then
        things := '{offered}';
    else
        if new.state = 'taken' and old.state = 'offered' then things := things || 'taken'::text; end if;
        if new.sent_at is not null and old.sent_at is null then things := things || 'sent'::text; end if;
        if new.rung_at is not null and old.rung_at is null then things := things || 'rung'::text; end if;
    end if;
    insert into begun
    select new.id, thing, new.crm_id, new.assignment_id, new.segment_id, new.seller_id, new.dialer_id,
           pg_current_xact_id(), pg_current_snapshot()
      from unnest(things) thing;
    return null;
end $$;
create trigger witness after insert or update on lease for each row execute function witness.note();
"""
_STOOD = """
insert into witness.stood
values (%s, %s, %s, %s, %s::pg_snapshot, %s::xid8, pg_current_snapshot(), %s::uuid[])
"""


def _is_of(lease: str, scope: str, target: str) -> str:
    """SQL that is true of what is in the scope of a wall."""
    return f"""case {scope} when 'assignment' then {lease}.assignment_id = {target}
                            when 'segment' then {lease}.segment_id = {target}
                            when 'seller' then {lease}.seller_id = {target}
                            when 'dialer' then {lease}.dialer_id = {target} else true end"""


_BEHIND = f"""
select s.round, s.scope, s.target_id, b.what, b.lease_id
  from witness.stood s
  join witness.begun b on b.xid >= pg_snapshot_xmin(s.answered) and b.xid < pg_snapshot_xmax(s.over)
 where not pg_visible_in_snapshot(b.xid, s.answered) and not pg_visible_in_snapshot(s.lifted_by, b.seen)
   and s.crm_id = b.crm_id and {_is_of("b", "s.scope", "s.target_id")} and b.lease_id <> all(s.unknown)
 order by s.round
"""
_LIVE = text(f"""
    select l.id from pause w
      join lease l on l.crm_id = :crm_id and l.ended_at is null and {_is_of("l", "w.scope", "w.target_id")}
     where w.crm_id = :crm_id and w.id = :pause_id
""")
_SNAPSHOT = text("select pg_current_snapshot()::text")
_TRANSACTION = text("select pg_current_xact_id()::text")


class Witness:
    """Sits in the test's database and hears the pauses of this process, one at a time."""

    def __init__(self, owner: "psycopg.Connection[Any]") -> None:
        self._owner = owner
        self._answered = self._lifted_by = ""
        self._live: dict[int, set[UUID]] = {}
        self.unnamed: list[tuple[Any, ...]] = []
        """(round, scope, leases): live behind an answer that calls them neither rung nor unknown."""

    def hear(self, work: Work, statement: TextClause, values: dict[str, Any]) -> None:
        """Somebody is about to execute a statement."""
        if statement is pausing._WALLED:
            self._answered = work.run(_SNAPSHOT).scalar_one()
            self._live[work.crm_id] = set(work.run(_LIVE, pause_id=values["pause_id"]).scalars())
        elif statement in (pausing._RESUME, shared_pauses._LIFT):
            self._lifted_by = work.run(_TRANSACTION).scalar_one()

    def stood(self, number: int, scope: str, target: int | None, answer: WallAnswer) -> None:
        """A wall has stood, and is lifted."""
        unknown = [lease for lease, _ in answer.unknown]
        left = set.union(*self._live.values()) - {*answer.rung, *unknown}
        if len(left) > answer.elsewhere.rung + answer.elsewhere.unknown:
            self.unnamed.append((number, scope, sorted(left)))
        for crm_id in self._live:
            self._owner.execute(
                _STOOD, (number, crm_id, scope, target, self._answered, self._lifted_by, unknown)
            )
        self._live = {}

    def behind(self) -> list[tuple[Any, ...]]:
        """(round, scope, target, what, lease): what began behind a wall whose answer does not name it."""
        return self._owner.execute(_BEHIND).fetchall()

    def begun(self) -> dict[str, int]:
        """How much has begun, of what."""
        return dict(self._owner.execute("select what, count(*) from witness.begun group by what").fetchall())

    def tidy(self) -> None:
        """What autovacuum does elsewhere; tests have none."""
        self._owner.execute(
            "vacuum analyze lease, placement, claim_customer, claim_number, pause, ring_limit"
        )


@contextmanager
def witness(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    """One for this test's database."""
    url = make_url(world.app.settings.database_owner_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
        owner.execute(_LAY)
        made, real = Witness(owner), Work.run

        def run(self: Work, statement: TextClause, **values: Any) -> Any:
            made.hear(self, statement, values)
            return real(self, statement, **values)

        instead_of_run(monkeypatch, run)
        yield made
