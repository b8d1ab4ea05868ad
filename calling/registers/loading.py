"""A version of a register is loaded: copied, compared with the one in force, and put in its place at once.

Nothing counts before the one commit in which it takes force; a load that dies before is as if it had never
been, and the next one clears it away. What follows is done CRM by CRM (calling/registers/following.py), and
by a tick where a crash left it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from calling.registers.law import NationalRegister, register_named
from calling.registers.reading import BadLine, Reading, read_register
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


class _Enough(Exception):
    """The end of a dry run: everything is rolled back."""


def load_register(
    shared: Shared, name: str, path: Path, *, dated: date, author: str, now: datetime,
    column: str | None = None, force: bool = False, dry_run: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> Loaded:  # fmt: skip
    """Load the file of a register as it was on the day `dated`; when this returns, it is in force.

    Follow with `follow_everywhere`: then it is a wall (P8). `progress` is told the share that has been read.
    Raises NotFound for the register; BadInput for a file that is none, mostly bad, older than what is in
    force, or lacks more than a fifth of it (not with `force`); Conflict when another load overtook this one.
    """
    row = register_named(name)
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    reading = Reading()
    chunks = read_register(
        path, row.country, column=column, reading=reading, told=lambda: progress(reading.share)
    )
    return load_numbers(
        shared, row, chunks, file=path.name, dated=dated, author=author, now=now, reading=reading,
        force=force, dry_run=dry_run,
    )  # fmt: skip


def load_numbers(
    shared: Shared, row: NationalRegister, chunks: Iterable[list[str]], *, file: str, dated: date,
    author: str, now: datetime, reading: Reading | None = None, force: bool = False, dry_run: bool = False,
) -> Loaded:  # fmt: skip
    """The same from numbers in E.164 that come in chunks, as a benchmark makes them."""
    begun = perf_counter()
    _check_day(dated, now)
    told = Loaded(row.name, None, dated, file)
    values = {"name": row.name, "dated": dated, "file": file, "author": author, "now": now}
    if dry_run:
        with suppress(_Enough), shared() as session:
            key = _begin(session, values, told)
            _fill(session, key, chunks, told, begun, force=force)
            raise _Enough
        return _read_by(told, reading, begun)
    with shared() as session:
        key = _begin(session, values, told)
    try:
        with shared() as session:
            _fill(session, key, chunks, told, begun, force=force)
        _read_by(told, reading, begun)
        with shared() as session:
            _take_force(session, key, told, now)
    except BaseException as failure:
        with suppress(Exception), shared() as session:
            take_your_time(session.connection())
            session.execute(_DISCARD, {"id": key, "why": str(failure)[:500], "now": now})
        raise
    with shared() as session:
        take_your_time(session.connection())
        session.execute(_SWEEP)
        session.execute(_COUNT)
    told.version_id = key
    return _read_by(told, reading, begun)


def _check_day(dated: date, now: datetime) -> None:
    if dated > now.date() + timedelta(days=1):
        raise BadInput(f"dated: {dated} has not come; a register is dated by the day on which it was fetched")


def _begin(session: Session, values: dict[str, Any], told: Loaded) -> int:
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


def _fill(
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


def _take_force(session: Session, key: int, told: Loaded, now: datetime) -> None:
    """The one commit. Raises Conflict when another load of the register began meanwhile."""
    counts = {
        name: getattr(told, name) for name in ("lines", "bad_lines", "numbers", "added", "removed", "dated")
    }
    register_id = session.execute(_DONE, {"id": key, "now": now, **counts}).scalar()
    if register_id is None:
        raise _overtaken(told)
    session.execute(_TAKE_FORCE, {"id": key, "register_id": register_id, **counts})


def _overtaken(told: Loaded) -> Conflict:
    return Conflict(f"another load of {told.register} began meanwhile; this one changed nothing")


def _read_by(told: Loaded, reading: Reading | None, begun: float) -> Loaded:
    if reading is not None:
        told.lines, told.bad_lines, told.bad = reading.lines, reading.bad_lines, reading.bad
    told.seconds = perf_counter() - begun
    return told


def in_chunks(numbers: Iterable[str], size: int = 50_000) -> Iterator[list[str]]:
    """Numbers, some at a time."""
    chunk: list[str] = []
    for number in numbers:
        chunk.append(number)
        if len(chunk) == size:
            yield chunk
            chunk = []
    yield chunk
