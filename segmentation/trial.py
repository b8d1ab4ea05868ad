"""Whether the database takes the statements of a rule set: tried on nobody, before anybody depends on it."""

from sqlalchemy.exc import CompileError, DBAPIError

from models.work import Work
from segmentation.statements import Statements

# What a statement can be refused for itself, whatever its rows; all else is of the server, or of its tables.
_OF_THE_STATEMENT = (
    "22",  # a value that cannot be read
    "54",  # too many parameters, too complex, too deep
    "42601",  # syntax
    "42804", "42846", "42883", "42P18",  # types that do not go together
    "XX000",  # what PostgreSQL did not foresee either
)  # fmt: skip

FAILURES = (DBAPIError, CompileError, RecursionError)
"""Everything that a statement may fail with."""


def refusal(error: Exception) -> str | None:
    """Why the statement itself cannot be asked; None if `error` is of something else: a server, a lock."""
    if not isinstance(error, DBAPIError):
        return f"it is too large to be written as SQL ({type(error).__name__})"
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The driver itself refused to send it; without a statement it could not connect.
        refused = error.statement is not None and not error.connection_invalidated
    else:
        refused = state.startswith(_OF_THE_STATEMENT)
    return " ".join(str(error.orig).partition("\n")[0].split()) if refused else None


def tried(work: Work, assignment_id: int, statements: Statements) -> str:
    """Why the database cannot be asked by these rules; "" if it can. The transaction goes on either way.

    Twice before it is believed: what PostgreSQL did not foresee may be gone at once, as when a table changes.
    """
    return _tried(work, assignment_id, statements) and _tried(work, assignment_id, statements)


def _tried(work: Work, assignment_id: int, statements: Statements) -> str:
    try:
        with work.session.connection().begin_nested():
            statements.trial.run(work, assignment_id=assignment_id, customer_ids="{}")
    except FAILURES as error:
        why = refusal(error)
        if why is None:
            raise
        return why
    return ""
