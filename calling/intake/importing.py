"""Import: a customer list becomes customers with numbers, clocks and fields.

Every good row is taken, every bad one told, and the same file again changes nothing. Batches are
transactions of their own: what a crash leaves is whole, and the same file said again does the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from time import monotonic

from calling import planner
from calling.catalogue.changing import add_missing
from calling.catalogue.field import Field
from calling.catalogue.reading import all_fields
from calling.catalogue.uniqueness import looking_again
from calling.customers.reclocking import take_back_moved_promises
from calling.hours.clocks import clock_ids
from calling.hours.whereabouts import Whereabouts
from calling.intake import placing
from calling.intake.columns import Column, Plan, plan_columns
from calling.intake.import_run import Counts, Run
from calling.intake.numbers import check_region
from calling.intake.parallel import parse_all
from calling.intake.parsing import ROW_REJECTED, Parsed, Reject
from calling.intake.reading import open_table
from calling.intake.refusing import Judge
from calling.intake.rejects import Rejects
from calling.intake.staging import Given, Loaded, Refuse, Staged, load_new, look
from calling.intake.tables import Row, Table
from calling.intake.updating import BATCH as KNOWN_BATCH
from calling.intake.updating import Updated, update_known
from models.errors import BadInput
from models.work import OpenWork, Work

SAMPLE = 20_000
"""Rows by which the types of new fields are told. A file with more is parsed in worker processes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come. Rows per second, and seconds that are left, by what was done so far."""

    rows: int
    rejected: int
    share: float
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second of wall time."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds that are left, None while nobody knows."""
        return self.seconds * (1 - self.share) / self.share if self.share else None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of a file. `columns`: header -> what it was taken for; `rejects`: the first of them.
    `warnings`: what may be wrong with how a column was taken.

    `rejected`: rows that were not taken. `dropped`: bad numbers of rows that were,
    `misplaced`: their places that are none.
    """

    run_id: int | None
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    dropped: int
    misplaced: int
    placed: int
    seconds: float
    columns: dict[str, str]
    new_fields: dict[str, str]
    rejects: list[Reject]
    rejects_file: Path | None
    dry_run: bool
    warnings: list[str]


def import_file(
    open_work: OpenWork, path: Path, *, region: str, mapping: Mapping[str, str] | None = None,
    assignment_id: int | None = None, progress: Callable[[Progress], None] | None = None,
    rejects: Path | None = None, dry_run: bool = False, author: str | None = None,
) -> ImportReport:  # fmt: skip
    """Import a customer list (CSV, Excel or JSON lines) into the CRM of `open_work`.

    `region`: the country whose people wrote the numbers. `mapping`: header -> target
    (calling/intake/columns.py), where the names do not tell. `assignment_id`: place every customer of the
    file there. `rejects`: a file for what is refused, rows and numbers. `dry_run`: check all, write
    nothing but that file. `author` signs the tags; the file's name if nobody does. Raises BadInput, NotFound.
    """
    region, started = check_region(region), monotonic()
    if assignment_id is not None:
        placing.check_assignment(open_work, assignment_id)
    with open_table(path) as table, Rejects.to(rejects, path) as rejected:
        sample = list(islice(table.rows, SAMPLE))
        if not sample:
            raise BadInput(f"{path} has a header and no rows")
        plan, new_fields = _plan(open_work, table, region, mapping or {}, sample, dry_run)
        run = Run(open_work, path.name, dry_run)
        work = _Import(
            open_work, plan, run, rejected, None if dry_run else assignment_id,
            Given.by(plan, author or path.name), Judge(plan, dry_run),
        )  # fmt: skip
        with run:
            for parsed in parse_all(plan, chain(sample, table.rows), parallel=len(sample) == SAMPLE):
                work.take(parsed)
                if progress:
                    progress(Progress(run.counts.rows, rejected.rows, table.share(), monotonic() - started))
    planner.note_growth(open_work, 0 if dry_run else run.counts.created + work.placed)
    for touched in sorted(work.touched):
        placing.ask_rebuild(open_work, touched)
    return _report(run, plan, new_fields, work, rejects, monotonic() - started)


def _plan(
    open_work: OpenWork, table: Table, region: str, mapping: Mapping[str, str], sample: Sequence[Row],
    dry_run: bool,
) -> tuple[Plan, dict[str, str]]:  # fmt: skip
    """What each column is, and the fields that are new; made in the catalogue unless it is a dry run."""
    cells = [row for _, row in sample if not isinstance(row, str)]
    known = _fields(open_work)
    plan = plan_columns(table.header, region, mapping, known, cells)
    there = {one.key for one in known}
    new = [column.field for column in plan.own if column.field and column.target not in there]
    if new and not dry_run:
        add_missing(open_work, new)
        plan = plan_columns(table.header, region, mapping, _fields(open_work), cells)
    return plan, {one.key: one.type for one in new}


def _fields(open_work: OpenWork) -> list[Field]:
    with open_work() as work:
        return all_fields(work)


@dataclass(slots=True)
class _Import:
    """One import under way. `seen`: the customer ids of the rows that were taken, and their lines."""

    open_work: OpenWork
    plan: Plan
    run: Run
    rejected: Rejects
    assignment_id: int | None
    given: Given
    judge: Judge
    placed: int = 0
    touched: set[int] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    clocks: set[Whereabouts] = field(default_factory=set)

    def take(self, parsed: Parsed) -> None:
        """Load one chunk: new customers in a transaction, changed ones in some of few."""
        rows, doubles = self._first_ones(parsed)
        begins = rows[0].line if rows else 0

        def refuse(work: Work) -> list[Reject]:
            return self.judge.refuse(work, self.seen, begins)

        self._make_clocks(parsed.where)
        loaded = self._load(rows, refuse, Counts(parsed.rows, rejected=_rows([*parsed.rejects, *doubles])))
        refused = [*doubles, *loaded.refused]
        if not self.run.dry:
            changed = [row for row in rows if row.line in loaded.changed]
            for start in range(0, len(changed), KNOWN_BATCH):
                refused += self._update(changed[start : start + KNOWN_BATCH], refuse)
        self.rejected.add(_together(parsed.rejects, refused))
        self._forget(parsed, {reject.line for reject in refused})
        if not self.run.dry:
            self._place(loaded.customers)

    def _make_clocks(self, where: set[Whereabouts]) -> None:
        """In a transaction of their own: other imports wait for a new clock's."""
        if not self.run.dry and (missing := where - self.clocks):
            with self.open_work() as work:
                clock_ids(work, missing)
            self.clocks |= missing

    def _load(self, rows: list[Staged], refuse: Refuse, counts: Counts) -> Loaded:
        """The first transaction of a chunk."""

        def load() -> Loaded:
            with self.open_work() as work:
                loaded = (look if self.run.dry else load_new)(work, rows, self.given, refuse)
                counted = Counts(created=loaded.created, unchanged=loaded.unchanged)
                counted.rejected = _rows(loaded.refused)
                counted.updated = len(loaded.changed) if self.run.dry else 0
                self.run.add(work, counts + counted)
            return loaded

        return looking_again(load)

    def _update(self, rows: list[Staged], refuse: Refuse) -> list[Reject]:
        """One transaction of known customers who change; the rows that could not be taken.

        What was offered to keep a promise that has moved with it comes back behind it.
        """

        def write() -> Updated:
            with self.open_work() as work:
                updated = update_known(work, rows, self.given, refuse)
                self.run.add(work, Counts(updated=updated.customers, rejected=_rows(updated.refused)))
            return updated

        updated = looking_again(write)
        take_back_moved_promises(self.open_work, updated.offered)
        self.touched.update(updated.assignments)
        return updated.refused

    def _place(self, customers: list[int]) -> None:
        if self.assignment_id is None:
            return
        for start in range(0, len(customers), placing.BATCH):
            batch = customers[start : start + placing.BATCH]
            if placed := placing.place_batch(self.open_work, self.assignment_id, batch):
                self.placed += placed
                self.touched.add(self.assignment_id)

    def _first_ones(self, parsed: Parsed) -> tuple[list[Staged], list[Reject]]:
        """The rows whose customer id comes for the first time in this file; the others are rejected."""
        column = self.plan.of("external_id")[0].header
        rows: list[Staged] = []
        doubles: list[Reject] = []
        for line, key, customer, numbers in zip(
            parsed.lines, parsed.ids, parsed.customers, parsed.numbers, strict=True
        ):
            first = self.seen.setdefault(key, line)
            if first == line:
                rows.append(Staged(line, customer, numbers))
            else:
                doubles.append(Reject(line, column, key, f"line {first} has this customer id already"))
        return rows, doubles

    def _forget(self, parsed: Parsed, lines: set[int]) -> None:
        """Rows that were not taken stand in nobody's way."""
        for line, key in zip(parsed.lines, parsed.ids, strict=True) if lines else ():
            if line in lines and self.seen.get(key) == line:
                del self.seen[key]


def _taken(plan: Plan) -> dict[str, str]:
    """Header -> what its column was taken for; a column of states may be a field as well."""
    found: dict[str, str] = {}
    for column in plan.columns:
        said = [found[column.header]] if column.header in found else []
        found[column.header] = " and ".join([*said, _taken_for(column)])
    return found


def _taken_for(column: Column) -> str:
    more = column.field.type if column.field else column.more
    return f"{column.target}:{more}" if more else column.target


def _rows(rejects: Iterable[Reject]) -> int:
    """How many rows were not taken."""
    return len({reject.line for reject in rejects if reject.what == ROW_REJECTED})


def _together(rejects: Sequence[Reject], doubles: Sequence[Reject]) -> list[Reject]:
    """In the order of the file. What was only dropped from a row goes with it if the row is not taken."""
    gone = {double.line for double in doubles}
    told = [replace(one, what=ROW_REJECTED) if one.line in gone else one for one in rejects]
    return sorted([*told, *doubles], key=lambda reject: reject.line)


def _report(
    run: Run, plan: Plan, new_fields: dict[str, str], work: _Import, rejects: Path | None, seconds: float
) -> ImportReport:
    counts = run.counts
    return ImportReport(
        run_id=run.id, rows=counts.rows, created=counts.created, updated=counts.updated,
        unchanged=counts.unchanged, rejected=counts.rejected,
        dropped=work.rejected.dropped, misplaced=work.rejected.misplaced, placed=work.placed, seconds=seconds,
        columns=_taken(plan),
        new_fields=new_fields, rejects=work.rejected.first,
        rejects_file=rejects if rejects and work.rejected else None, dry_run=run.dry,
        warnings=list(plan.warnings),
    )  # fmt: skip
