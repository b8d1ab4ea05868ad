"""A draft is compiled as the rules in force are, and asked of everybody in one pass. Nothing is written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.errors import NotFound, Unavailable
from models.tables.assignments import UNSEGMENTED
from models.work import Work
from segmentation.catalogue import Catalogue
from segmentation.nodes import Node, Rules
from segmentation.preview.asking import count_statement, preview_statement
from segmentation.preview.names import Names
from segmentation.preview.telling import told
from segmentation.preview.values import Count, Preview
from segmentation.references import inlined
from segmentation.warning import warnings_of

WARN_ABOVE = 0.2
"""The share of all customers that may move before it is worth a warning."""

PREVIEW_SECONDS, COUNT_SECONDS = 10, 5
"""Wall time after which rules that ask too much are given up: they cannot hold the server."""

_VERSION = text("select rule_version from assignment where crm_id = :crm_id and id = :assignment_id")
_ONE_PLAN = text("set local plan_cache_mode = force_custom_plan")
_TOOK_TOO_LONG = "57014"  # SQLSTATE


def preview(
    work: Work, assignment_id: int, draft: Rules, known: Catalogue, *,
    warnings: Sequence[tuple[str, str]] | None = None, warn_above: float = WARN_ABOVE,
    seconds: int = PREVIEW_SECONDS,
) -> Preview:  # fmt: skip
    """What publishing `draft` now would do; published with nothing in between, it moves just these.

    `warnings`: the language's own, of whoever had them reckoned before this transaction began; None: here.
    `warn_above`: the share that may move without a warning. In a snapshot all of it is of one instant.
    Raises NotFound, BadRule, Unavailable if the one pass takes longer than `seconds`.
    """
    base = _version(work, assignment_id)
    warnings = warnings_of(draft, known) if warnings is None else warnings
    names, plain = Names.of(work, assignment_id, draft), inlined(draft)
    arms, unsegmented = names.arms("segment", plain.segments), names.id("segment", UNSEGMENTED)
    staying = [unsegmented, *(id_ for id_, _ in arms)]
    statement = preview_statement(arms, unsegmented, names.arms("label", plain.labels), known, staying)
    with _within(work, seconds):
        rows = statement.run(work, assignment_id=assignment_id).all()
    return told(base, draft, names, rows, warnings, warn_above)


def count_matching(
    work: Work, assignment_id: int, rule: Node, known: Catalogue, *, seconds: int = COUNT_SECONDS
) -> Count:
    """How many customers meet one rule (without references) now, wherever they are placed.

    Raises NotFound, Unavailable if it takes longer than `seconds`.
    """
    _version(work, assignment_id)
    with _within(work, seconds):
        row = count_statement(rule, known).run(work, assignment_id=assignment_id).one()
    return Count(row.matching, row.customers)


def _version(work: Work, assignment_id: int) -> int:
    version = work.run(_VERSION, assignment_id=assignment_id).scalar()
    if version is None:
        raise NotFound("assignment", assignment_id)
    return int(version)


@contextmanager
def _within(work: Work, seconds: int) -> Iterator[None]:
    """From here on no statement of this transaction takes longer."""
    work.run(_ONE_PLAN)
    work.session.connection().exec_driver_sql(f"set local statement_timeout = '{int(seconds)}s'")
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _TOOK_TOO_LONG:
            raise
        message = f"given up after {seconds} s: the rules ask too much, or the database is busy"
        raise Unavailable(message, seconds=seconds) from error
