"""The record of one import: its counts grow in the transactions that they count."""

from dataclasses import astuple, dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import text

from models.work import OpenWork, Work

_BEGIN = text("""
    insert into import_run (crm_id, source, state, started_at) values (:crm_id, :source, 'running', :now)
    returning id
""")
_ADD = text("""
    update import_run
       set rows = rows + :rows, created = created + :created, updated = updated + :updated,
           unchanged = unchanged + :unchanged, rejected = rejected + :rejected
     where crm_id = :crm_id and id = :id
""")
_END = text("update import_run set state = :state, finished_at = :now where crm_id = :crm_id and id = :id")


@dataclass(slots=True)
class Counts:
    """Rows of a file, by what came of them."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


class Run:
    """One import, entered while it works; a dry one keeps counts and no row. `id` None: nothing is kept."""

    def __init__(self, open_work: OpenWork, source: str, dry: bool) -> None:
        self._open_work = open_work
        self._source = source
        self.dry = dry
        self.id: int | None = None
        self.counts = Counts()

    def __enter__(self) -> Self:
        if not self.dry:
            with self._open_work() as work:
                self.id = work.run(_BEGIN, source=self._source).scalar_one()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.id is not None:
            with self._open_work() as work:
                work.run(_END, id=self.id, state="failed" if error else "done")

    def add(self, work: Work, counts: Counts) -> None:
        """Count rows in the transaction that took them."""
        self.counts += counts
        if self.id is not None:
            work.run(
                _ADD, id=self.id, rows=counts.rows, created=counts.created, updated=counts.updated,
                unchanged=counts.unchanged, rejected=counts.rejected,
            )  # fmt: skip
