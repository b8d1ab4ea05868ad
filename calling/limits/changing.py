"""An owner's own limits: set, ended, and which assignments are about debts. Each with who and when.

When one of these returns, every ring from then on is judged by it; whom it stops or lets go is stamped anew
by a worker (calling/limits/following.py), in batches. The gap and attempts: calling/limits/own.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from sqlalchemy import text

from calling.handout.recalling import Patience, WallAnswer, no_patience
from calling.walls.shut_offers import take_back_shut
from models import turnstile
from models.errors import BadValues, NotFound
from models.outcomes import EFFECTS
from models.tables.limits import LIMIT_SCOPES
from models.work import OpenWork, Work

MOST = 1000
LONGEST = timedelta(days=366)
_SHORTEST = 60  # seconds

_THERE = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")
_ASSIGNMENTS = text("select id from assignment where crm_id = :crm_id order by id")
_SET = text("""
    insert into call_limit
           (crm_id, assignment_id, scope, most, seconds, days, after, reason, author, created_at)
    values (:crm_id, :assignment_id, :scope, :most, :seconds, :days, :after, :reason, :author, :now)
    returning id
""")
_END = text("""
    update call_limit set ended_at = :now, ended_by = :author
     where crm_id = :crm_id and id = :id and ended_at is null
    returning assignment_id
""")
_ANY = text("select 1 from call_limit where crm_id = :crm_id and id = :id")
_DEBTS = text("""
    update assignment set about_debts = :about_debts
     where crm_id = :crm_id and id = :assignment_id and about_debts <> :about_debts
    returning id
""")
_NOTE = text("""
    insert into limit_change
           (crm_id, deed, limit_id, assignment_id, before, after, reason, author, changed_at)
    values (:crm_id, :deed, :limit_id, :assignment_id, :before, :after, :reason, :author, :now)
    returning id
""")
_UNWALLED = text("""
    select deed, assignment_id from limit_change
     where crm_id = :crm_id and id = :id and walled_at is null
""")
_WALLED = text("""
    update limit_change set walled_at = :now where crm_id = :crm_id and id = :id and walled_at is null
""")


@dataclass(frozen=True, slots=True)
class NewLimit:
    """A wish: at most `most` rings within `seconds`, or `days` of the customer's calendar (one of the two).

    `assignment_id` None: it binds the whole CRM. `after`: outcomes that are counted instead of rings.
    """

    most: int
    scope: str
    reason: str
    seconds: int | None = None
    days: int | None = None
    after: Sequence[str] = ()
    assignment_id: int | None = None

    def check(self) -> None:
        """Raises BadValues with everything that is wrong."""
        problems: list[tuple[str, str]] = []
        if not 1 <= self.most <= MOST:
            problems.append(("most", f"must lie between 1 and {MOST}"))
        if self.scope not in LIMIT_SCOPES:
            problems.append(("scope", _none_of(self.scope, LIMIT_SCOPES)))
        if (self.seconds is None) == (self.days is None):
            problems.append(("window", "give hours that roll, or days of the calendar: one of the two"))
        elif self.seconds is not None and not _SHORTEST <= self.seconds <= LONGEST.total_seconds():
            problems.append(("seconds", f"must lie between 60 and {LONGEST.days} days"))
        elif self.days is not None and not 1 <= self.days <= LONGEST.days:
            problems.append(("days", f"must lie between 1 and {LONGEST.days}"))
        if not self.reason.strip():
            problems.append(("reason", "say why; whoever asks why nobody is called wants to know"))
        rang = [outcome.value for outcome, effect in EFFECTS.items() if effect.rang]
        problems += [
            (f"after[{n}]", _none_of(name, rang)) for n, name in enumerate(self.after) if name not in rang
        ]
        if self.after and self.scope == "number":
            problems.append(("scope", "answers are given by customers: take customer or assignment"))
        if problems:
            raise BadValues(problems)


def set_limit(open_work: OpenWork, wish: NewLimit, author: str) -> int:
    """Set a limit beside those that stand; its id. When this returns, nobody is rung beyond it.

    Raises BadValues, NotFound.
    """
    wish.check()
    with open_work() as work:
        _check_assignment(work, wish.assignment_id)
        limit_id = work.run(
            _SET,
            assignment_id=wish.assignment_id, scope=wish.scope, most=wish.most, seconds=wish.seconds,
            days=wish.days, after=sorted(set(wish.after)), reason=wish.reason.strip(), author=author,
        ).scalar_one()  # fmt: skip
        change = note(work, "set", author, limit_id=limit_id, assignment_id=wish.assignment_id)
    wall(open_work, change)
    return int(limit_id)


def end_limit(open_work: OpenWork, limit_id: int, author: str) -> bool:
    """End a limit of the owner's; whether it stood. Raises NotFound."""
    with open_work() as work:
        ended = work.run(_END, id=limit_id, author=author).first()
        if ended is None:
            if work.run(_ANY, id=limit_id).first() is None:
                raise NotFound("limit", limit_id)
            return False
        change = note(work, "ended", author, limit_id=limit_id, assignment_id=ended.assignment_id)
    wall(open_work, change)
    return True


def say_of_debts(
    open_work: OpenWork, assignment_id: int, *, about_debts: bool, author: str,
    patience: Patience = no_patience,
) -> WallAnswer | None:  # fmt: skip
    """Say whether an assignment is about debts, so that the law's limits and hours for them bind.

    What was in the air by other hours; None: it was so before. Raises NotFound.
    """
    with open_work() as work:
        _check_assignment(work, assignment_id)
        if work.run(_DEBTS, assignment_id=assignment_id, about_debts=about_debts).first() is None:
            return None
        change = note(work, "debts" if about_debts else "no_debts", author, assignment_id=assignment_id)
    return wall(open_work, change, patience)


def wall(open_work: OpenWork, change_id: int, patience: Patience = no_patience) -> WallAnswer:
    """The second half of a change: wait for whoever may not have seen it, and note that the wall stands.

    Where calls became calls about debts, what may ring no more by the hours of those is taken back. Whoever
    follows a change calls it for what a crash left.
    """
    with open_work() as work:
        change = work.run(_UNWALLED, id=change_id).first()
        if change is None:
            return WallAnswer()
        # Whoever it has rung is left in peace by all.
        assignments = concerned(work, None if change.deed == "gap" else change.assignment_id)
    turnstile.pass_exclusively(open_work, assignments)
    answer = WallAnswer()
    if change.deed == "debts":
        answer = take_back_shut(open_work, "it is about debts by now", patience)
    with open_work() as work:
        work.run(_WALLED, id=change_id)
        if change.deed == "no_debts":
            work.hint("allocate", change.assignment_id)
    return answer


def concerned(work: Work, assignment_id: int | None) -> list[int]:
    """The assignments whose rings a limit of `assignment_id` (None: of the whole CRM) binds."""
    return [assignment_id] if assignment_id is not None else list(work.run(_ASSIGNMENTS).scalars())


def note(work: Work, deed: str, author: str, **what: int | str | None) -> int:
    """Write a change down: `limit_id`, `assignment_id`, `before`, `after`, `reason`; its id."""
    values = dict.fromkeys(("limit_id", "assignment_id", "before", "after", "reason")) | what
    return int(work.run(_NOTE, deed=deed, author=author, **values).scalar_one())


def _check_assignment(work: Work, assignment_id: int | None) -> None:
    if assignment_id is not None and work.run(_THERE, assignment_id=assignment_id).first() is None:
        raise NotFound("assignment", assignment_id)


def _none_of(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1)
    return f"{word!r} is none of {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
