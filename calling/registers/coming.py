"""A version of a register on its way into force: begun, filled, put in its place, or discarded.

Each step is given a transaction on the shared tables. Until the last one nothing of it counts for anybody.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from time import perf_counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from calling.registers.reading import BadLine
from models.errors import BadInput, Conflict
from models.work import take_your_time

Shared = Callable[[], AbstractContextManager[Session]]
"""Opens a transaction on the shared tables."""

MOST_REMOVED = 0.2
"""Share of the numbers in force that a file may lack without somebody saying so."""

_REGISTER = text("""
    insert into register (name) values (:name) on conflict (name) do nothing
""")
_IN_FORCE = text("select id, in_force, dated, numbers from register where name = :name")
_UNFINISHED = text("""
    select id from register_version
     where register_id = :register_id and in_force_at is null and failed_at is null
     order by id
""")
_DISCARD = text("select discard_register_version(:id, :why, :now)")
_SWEEP = text("""
    delete from register_staging s using register_version v
     where v.id = s.version_id and v.in_force_at is not null
""")
_BEGIN = text("""
    insert into register_version (register_id, dated, file, author, begun_at)
    values (:register_id, :dated, :file, :author, :now) returning id
""")
_COPY = "copy register_staging (version_id, e164) from stdin"
_OVERTAKEN = "55000"  # object_not_in_prerequisite_state
_APPLY = text("select added, removed from apply_register_version(:id)")
_DONE = text("""
    update register_version
       set in_force_at = :now, lines = :lines, bad_lines = :bad_lines, numbers = :numbers, added = :added,
           removed = :removed
     where id = :id and in_force_at is null and failed_at is null
    returning register_id
""")
_TAKE_FORCE = text("""
    update register set in_force = :id, dated = :dated, numbers = :numbers where id = :register_id
""")
_COUNT = text("select count_registers_anew()")


@dataclass(slots=True)
class Loaded:
    """What came of a file. `version_id` None: a dry run. `copied_seconds`: of reading and COPY alone."""

    register: str
    version_id: int | None
    dated: date
    file: str
    lines: int = 0
    bad_lines: int = 0
    bad: list[BadLine] = field(default_factory=list)
    before: int = 0
    numbers: int = 0
    added: int = 0
    removed: int = 0
    copied_seconds: float = 0.0
    seconds: float = 0.0


def begin(session: Session, values: dict[str, Any], told: Loaded) -> int:
    """Note that a load begins; one that never came to its end makes room. Raises BadInput."""
    take_your_time(session.connection())
    session.execute(_REGISTER, values)
    row = session.execute(_IN_FORCE, values).one()
    if row.dated is not None and values["dated"] < row.dated:
        raise BadInput(
            f"dated: {values['dated']} is older than the version in force, of {row.dated}",
            dated=str(values["dated"]), in_force=str(row.dated),
        )  # fmt: skip
    told.before = row.numbers
    for version in session.execute(_UNFINISHED, {"register_id": row.id}).scalars().all():
        discarded = {"id": version, "why": "another load began", "now": values["now"]}
        session.execute(_DISCARD, discarded)
    session.execute(_SWEEP)
    return int(session.execute(_BEGIN, {**values, "register_id": row.id}).scalar_one())


def fill(
    session: Session, key: int, chunks: Iterable[list[str]], told: Loaded, begun: float, *, force: bool
) -> None:
    """Copy the numbers and work out what is new and what is gone. Nobody sees any of it."""
    take_your_time(session.connection())
    driver = session.connection().connection.driver_connection
    assert driver is not None  # noqa: S101 - the transaction has one
    prefix = f"{key}\t"
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for numbers in chunks:
            if numbers:
                copy.write(prefix + f"\n{prefix}".join(numbers) + "\n")
    told.copied_seconds = perf_counter() - begun
    try:
        told.added, told.removed = session.execute(_APPLY, {"id": key}).one()
    except DBAPIError as refusal:
        if getattr(refusal.orig, "sqlstate", None) == _OVERTAKEN:
            raise _overtaken(told) from refusal
        raise
    told.numbers = told.before + told.added - told.removed
    if not told.numbers:
        raise BadInput(f"{told.file} holds no number")
    if told.removed > MOST_REMOVED * told.before and not force:
        raise BadInput(
            f"{told.file} lacks {told.removed} of the {told.before} numbers in force; if that is right, say "
            "--force (`force`)",
            removed=told.removed, before=told.before,
        )  # fmt: skip


def take_force(session: Session, key: int, told: Loaded, now: datetime) -> None:
    """The one commit. Raises Conflict when another load of the register began meanwhile."""
    counts = {
        name: getattr(told, name) for name in ("lines", "bad_lines", "numbers", "added", "removed", "dated")
    }
    register_id = session.execute(_DONE, {"id": key, "now": now, **counts}).scalar()
    if register_id is None:
        raise _overtaken(told)
    session.execute(_TAKE_FORCE, {"id": key, "register_id": register_id, **counts})


def discard(session: Session, key: int, why: str, now: datetime) -> None:
    """It came to nothing: as if it had never been, but for a row that says why."""
    take_your_time(session.connection())
    session.execute(_DISCARD, {"id": key, "why": why[:500], "now": now})


def tidy(session: Session) -> None:
    """What was copied is of no use any more, and the planner has to know how many there are."""
    take_your_time(session.connection())
    session.execute(_SWEEP)
    session.execute(_COUNT)


def _overtaken(told: Loaded) -> Conflict:
    return Conflict(f"another load of {told.register} began meanwhile; this one changed nothing")
