"""A version of a register is loaded: copied, compared with the one in force, and put in its place at once.

Nothing counts before the one commit in which it takes force; a load that dies before is as if it had never
been, and the next one clears it away. What follows is done CRM by CRM (calling/registers/following.py), and
by a tick where a crash left it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter

from calling.registers import coming
from calling.registers.coming import Loaded, Shared
from calling.registers.law import NationalRegister, register_named
from calling.registers.reading import Reading, read_register
from models.errors import BadInput


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
    force, without a number of its country, or lacks more than a fifth of what is in force (these two not with
    `force`); Conflict when another load overtook this one.
    """
    row = register_named(name)
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    reading = Reading()
    chunks = read_register(
        path, row.country, column=column, reading=reading, from_anywhere=force,
        told=lambda: progress(reading.share),
    )  # fmt: skip
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
            key = coming.begin(session, values, told)
            coming.fill(session, key, chunks, told, begun, force=force)
            raise _Enough
        return _read_by(told, reading, begun)
    with shared() as session:
        key = coming.begin(session, values, told)
    try:
        with shared() as session:
            coming.fill(session, key, chunks, told, begun, force=force)
        _read_by(told, reading, begun)
        with shared() as session:
            coming.take_force(session, key, told, now)
    except BaseException as failure:
        with suppress(Exception), shared() as session:
            coming.discard(session, key, str(failure), now)
        raise
    with shared() as session:
        coming.tidy(session)
    told.version_id = key
    return _read_by(told, reading, begun)


def _check_day(dated: date, now: datetime) -> None:
    if dated > now.date() + timedelta(days=1):
        raise BadInput(f"dated: {dated} has not come; a register is dated by the day on which it was fetched")


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
