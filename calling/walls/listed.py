"""An owner's own do-not-call list from a file: entries like any other, by the reader of the registers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from calling.registers.reading import BadLine, Reading, read_register
from calling.walls import scopes
from calling.walls.suppress import check_scope, finish_suppressions
from models.work import OpenWork, Work

_TABLE = "create temp table if not exists listed_number (e164 text) on commit drop; truncate listed_number"
_COPY = "copy listed_number (e164) from stdin"
# What ends before the list does would stand no more while the list still says so.
_AS_LONG = "(s.expires_at is null or s.expires_at >= cast(:expires_at as timestamptz))"
_ENTER = text(f"""
    insert into suppression (crm_id, e164, scope, reason, author, created_at, expires_at)
    select :crm_id, l.e164, 'crm', :reason, :author, :now, :expires_at
      from (select distinct e164 from listed_number) l
     where not exists (select from suppression s
                        where s.crm_id = :crm_id and s.e164 = l.e164 and s.lifted_at is null
                          and s.scope = 'crm' and {_AS_LONG})
     order by l.e164
""")  # noqa: S608 - our own words
_NEW = text(f"""
    select l.e164 from (select distinct e164 from listed_number) l
     where not exists (select from suppression s
                        where s.crm_id = :crm_id and s.e164 = l.e164 and s.lifted_at is null
                          and s.scope = :scope and {_AS_LONG})
     order by l.e164
""")  # noqa: S608 - our own words


@dataclass(slots=True)
class Listed:
    """What came of a file: `added` are new, all other `numbers` stood already, for as long or longer."""

    file: str
    scope: str
    lines: int = 0
    bad_lines: int = 0
    numbers: int = 0
    added: int = 0
    bad: list[BadLine] = field(default_factory=list)


def import_list(
    open_work: OpenWork, path: Path, *, region: str, scope: str = "crm", reason: str, author: str,
    expires_at: datetime | None = None, column: str | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Listed:  # fmt: skip
    """Put the numbers of a file on the list of a scope; those that stand there already, for as long or
    longer, are left as they are.

    In chunks that are committed one by one; when it returns, all of it is a wall (P8). Said again it changes
    nothing. Raises BadInput.
    """
    check_scope(scope)
    told, reading = Listed(path.name, scope), Reading()
    chunks = read_register(path, region, column=column, reading=reading, told=lambda: progress(reading.share))
    for numbers in chunks:
        told.numbers += len(numbers)
        with open_work() as work:
            _copy(work, numbers)
            told.added += _enter(work, scope, reason, author, expires_at)
    told.lines, told.bad_lines, told.bad = reading.lines, reading.bad_lines, reading.bad
    finish_suppressions(open_work)
    return told


def _copy(work: Work, numbers: list[str]) -> None:
    driver = work.session.connection().connection.driver_connection
    assert driver is not None  # noqa: S101 - the transaction has one
    driver.execute(_TABLE)
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write("".join(f"{number}\n" for number in numbers))


def _enter(work: Work, scope: str, reason: str, author: str, expires_at: datetime | None) -> int:
    work.plan_afresh()
    if scope == "crm":
        return work.run(_ENTER, reason=reason, author=author, expires_at=expires_at).rowcount
    new = list(work.run(_NEW, scope=scope, expires_at=expires_at).scalars())
    scopes.share(work, new, scope=scope, reason=reason, author=author, expires_at=expires_at)
    return len(new)
