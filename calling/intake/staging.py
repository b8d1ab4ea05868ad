"""Rows into the database: COPY into temporary tables, where no wall stands, then sets into the real ones.

New customers come in whole batches. Known ones that change are taken a few at a time, because that touches
what is handed out at this very moment: claims, clocks, ranks and gates (calling/intake/updating.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from calling.intake.columns import Plan
from calling.intake.parsing import Reject
from models.sql import load
from models.work import Work

# No index: each is read whole, once or twice, and dropped with its transaction. But counted: the planner
# takes a table that nobody has counted for a small one, and would join 10,000 rows in nested loops.
_TABLES = """
    create temporary table staged (
        row_no bigint, external_id text, name text, email text, place text, fields jsonb,
        clock_key text, reckoning_zone text, tags text[],
        verified_zone text, contradicts boolean) on commit drop;
    create temporary table staged_number (
        row_no bigint, e164 text, position smallint, zones text[], kind text, kind_by text) on commit drop;
    create temporary table matched (row_no bigint, customer_id bigint, kind text) on commit drop;
"""
_COPY = "copy staged from stdin"
_COPY_NUMBERS = "copy staged_number from stdin"
_COUNT = "analyze staged (row_no, external_id, clock_key); analyze staged_number (row_no)"
_COUNT_MATCHED = text("analyze matched (row_no, customer_id, kind)")
_COUNTS = text("select kind, count(*) as rows from matched group by kind")
_CUSTOMERS = text("select customer_id from matched where kind <> 'gone' order by customer_id")


@dataclass(frozen=True, slots=True)
class Given:
    """Which of a customer's values the file has a column for; the others stay as they are."""

    has_email: bool
    has_place: bool
    keys: tuple[str, ...]
    has_tags: bool = False
    author: str = ""
    has_zones: bool = False

    @classmethod
    def by(cls, plan: Plan, author: str) -> "Given":
        """What a file's columns give, and who signs its tags."""
        own = tuple(column.target for column in plan.own)
        zones = bool(plan.of("verified_zone"))
        return cls(bool(plan.of("email")), bool(plan.of("place")), own, bool(plan.of("tags")), author, zones)

    def bindings(self) -> dict[str, object]:
        """As parameters of the import's statements."""
        return {"has_email": self.has_email, "has_place": self.has_place, "keys": list(self.keys)}


@dataclass(frozen=True, slots=True)
class Staged:
    """A row ready for COPY: its line, its customer, and the lines of its numbers."""

    line: int
    customer: str
    numbers: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a batch. `changed`: lines about known customers that say something new."""

    created: int
    unchanged: int
    changed: frozenset[int]
    customers: list[int]
    refused: list[Reject]


Refuse = Callable[[Work], list[Reject]]
"""Takes staged rows off that cannot be taken, and says why: Judge.refuse (calling/intake/refusing.py)."""


def load_new(work: Work, rows: Sequence[Staged], given: Given, refuse: Refuse) -> Loaded:
    """Make customers of the rows that are none yet, with their numbers. Their clocks exist already."""
    stage(work, rows, given)
    refused = refuse(work)
    left = _left(rows, refused)
    work.run(load("import_new"))
    if sum(_counts(work).values()) < left:
        _match(work, given)  # somebody else made them in this very moment
    work.run(_COUNT_MATCHED)
    work.run(load("import_new_numbers"))
    put_tags(work, given, ["created"])
    put_zones(work, given, ["created"])
    return _loaded(work, left, refused, given)


def look(work: Work, rows: Sequence[Staged], given: Given, refuse: Refuse) -> Loaded:
    """What `load_new` would find; nothing is written."""
    stage(work, rows, given)
    refused = refuse(work)
    return _loaded(work, _left(rows, refused), refused, given)


def put_tags(work: Work, given: Given, kinds: Sequence[str]) -> None:
    """Give the tags of staged rows of these kinds; whoever has one keeps its first source and time."""
    if given.has_tags:
        work.run(load("import_tags"), kinds=list(kinds), author=given.author)


def put_zones(work: Work, given: Given, kinds: Sequence[str]) -> None:
    """Write the zones that staged rows of these kinds vouch for; what a person has verified stays."""
    if given.has_zones:
        for name in ("import_end_zones", "import_zones"):
            work.run(load(name), kinds=list(kinds), source=given.author)


def _left(rows: Sequence[Staged], refused: Sequence[Reject]) -> int:
    return len(rows) - len({reject.line for reject in refused})


def stage(work: Work, rows: Sequence[Staged], given: Given) -> None:
    """Copy rows into the temporary tables of this transaction, and match them with known customers."""
    connection = work.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - the transaction has one
    connection.execute(_TABLES)
    with connection.cursor() as cursor:
        for statement, texts in (
            (_COPY, [row.customer for row in rows]),
            (_COPY_NUMBERS, [row.numbers for row in rows]),
        ):
            with cursor.copy(statement) as copy:
                copy.write("".join(texts))
    connection.execute(_COUNT)
    _match(work, given)


def _match(work: Work, given: Given) -> None:
    work.run(load("import_match"), **given.bindings())
    work.run(_COUNT_MATCHED)


def _counts(work: Work) -> dict[str, int]:
    return {row.kind: row.rows for row in work.run(_COUNTS)}


def _loaded(work: Work, rows: int, refused: list[Reject], given: Given) -> Loaded:
    """Whoever is not known, or was made a moment ago, is new."""
    counts = _counts(work)
    known = sum(counts.values()) - counts.get("created", 0)
    changed = frozenset(row.row_no for row in work.run(load("import_changed")))
    if given.has_tags:
        changed |= frozenset(work.run(load("import_gained_tags")).scalars())
    customers = list(work.run(_CUSTOMERS).scalars())
    return Loaded(rows - known, known - len(changed), changed, customers, refused)
