"""How long a wrap-up may take in an assignment, and how long who was skipped is left out."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from models.errors import BadValues, NotFound
from models.work import Work

LONGEST_WRAP_UP = timedelta(hours=8)
LONGEST_SKIP = timedelta(days=7)

_READ = text("""
    select wrap_up_seconds, skip_seconds from assignment where crm_id = :crm_id and id = :assignment_id
""")
_WRITE = text("""
    update assignment set wrap_up_seconds = :wrap_up_seconds, skip_seconds = :skip_seconds
     where crm_id = :crm_id and id = :assignment_id
    returning 1
""")


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds of business time. `wrap_up_seconds` None: no limit but the hour after which nobody waits."""

    wrap_up_seconds: int | None
    skip_seconds: int


def lease_times(work: Work, assignment_id: int) -> LeaseTimes:
    """As they are now. Raises NotFound."""
    row = work.run(_READ, assignment_id=assignment_id).first()
    if row is None:
        raise NotFound("assignment", assignment_id)
    return LeaseTimes(row.wrap_up_seconds, row.skip_seconds)


def set_lease_times(work: Work, assignment_id: int, times: LeaseTimes) -> None:
    """For whoever hangs up, or skips, from now on; what runs already ends as it was told to.

    Raises BadValues with all that is wrong, NotFound.
    """
    longest, left_out = LONGEST_WRAP_UP.total_seconds(), LONGEST_SKIP.total_seconds()
    problems = []
    if times.wrap_up_seconds is not None and not 1 <= times.wrap_up_seconds <= longest:
        problems.append(("wrap_up_seconds", f"must lie between 1 and {longest:.0f}; none: no limit"))
    if not 0 <= times.skip_seconds <= left_out:
        problems.append(("skip_seconds", f"must lie between 0 and {left_out:.0f}"))
    if problems:
        raise BadValues(problems)
    written = work.run(
        _WRITE, assignment_id=assignment_id, wrap_up_seconds=times.wrap_up_seconds,
        skip_seconds=times.skip_seconds,
    ).first()  # fmt: skip
    if written is None:
        raise NotFound("assignment", assignment_id)
