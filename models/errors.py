"""Everything that an edge may catch.

RingelisteError                 carries `data`, what an answer or a log line may show
├── NotFound                    no such thing in this CRM; carries what and id
├── BadInput                    what, where, and what instead; nothing was done
│   ├── BadRule                 a rule set breaks the language; carries every problem
│   │   └── BadRuleText         the same of rules written as text; carries the places as well
│   ├── BadValues               values break what is demanded of them; carries every problem
│   └── BadSettings             the environment breaks a setting; carries every problem
├── Conflict                    true once, no longer: look again
│   ├── LeaseGone               the lease ended, was recalled, or is somebody else's
│   └── NotNow                  a gate is shut: which, and until when
├── Unavailable                 PostgreSQL, Redis or a dialer is away; try again later
├── RulesRefused                the database takes no question by an assignment's rules: a bug of ours
└── PromiseBroken               a bug of ours: the audit found what may never be
"""

from datetime import datetime
from typing import Any
from uuid import UUID


class RingelisteError(Exception):
    """Base of all our errors. `data` holds plain values that may be shown."""

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class NotFound(RingelisteError):
    """There is no such thing in this CRM."""

    def __init__(self, what: str, key: object, why: str = "") -> None:
        super().__init__(f"there is no {what} {key}" + (f": {why}" if why else ""), what=what, id=str(key))


class BadInput(RingelisteError):
    """The input is wrong: the message says what, where, and what to give instead."""


class BadRule(BadInput):
    """A rule set breaks the language. `problems` are (path, message) pairs, all of them.

    `and_more`: these are the first, and reading ended with them.
    """

    def __init__(self, problems: list[tuple[str, str]], *, and_more: bool = False) -> None:
        self.problems, self.and_more = problems, and_more
        lines = "; ".join(f"{path}: {message}" for path, message in problems)
        told = [{"path": p, "message": m} for p, m in problems]
        if and_more:
            super().__init__(f"{lines}; and more, told when these are mended", problems=told, and_more=True)
        else:
            super().__init__(lines, problems=told)


class BadRuleText(BadRule):
    """Rules written as text break the language. `places`: (line, column, piece of text) of each problem.

    Lines and columns count from 1. `text` is what was read.
    """

    def __init__(
        self,
        problems: list[tuple[str, str]],
        places: list[tuple[int, int, str]],
        text: str,
        *,
        and_more: bool = False,
    ) -> None:
        super().__init__(problems, and_more=and_more)
        self.places, self.text = places, text
        for problem, (line, column, piece) in zip(self.data["problems"], places, strict=True):
            problem |= {"line": line, "column": column, "piece": piece}


class BadValues(BadInput):
    """Values break what is demanded of them. `problems` are (path, message) pairs, all of them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        lines = "; ".join(f"{path}: {message}" for path, message in problems)
        super().__init__(lines, problems=[{"path": p, "message": m} for p, m in problems])


class BadSettings(BadInput):
    """The environment breaks one or more settings; the message names all of them."""


class Conflict(RingelisteError):
    """What was asked for was possible a moment ago and is no longer."""


class LeaseGone(Conflict):
    """The lease has ended, was recalled, or belongs to somebody else."""

    def __init__(self, lease_id: UUID, why: str) -> None:
        super().__init__(f"lease {lease_id} is not yours any more: {why}", lease=str(lease_id), why=why)
        self.why = why


class NotNow(Conflict):
    """A gate is shut. `gate` names it, `until` (UTC) is when time alone may open it, or None."""

    def __init__(self, gate: str, until: datetime | None) -> None:
        when = f" until {until.isoformat()}" if until else ""
        super().__init__(f"may not be rung now: {gate}{when}", gate=gate, until=until)
        self.gate, self.until = gate, until


class Unavailable(RingelisteError):
    """A server or a dialer that we need is away; the same call may go through later."""


class RulesRefused(RingelisteError):
    """The database is there, and takes no question by the rules of `assignment_id`. Nothing was done."""

    def __init__(self, assignment_id: int, why: str) -> None:
        super().__init__(f"the rules of assignment {assignment_id} cannot be asked: {why}", why=why)
        self.assignment_id, self.why = assignment_id, why


class PromiseBroken(RingelisteError):
    """Something that may never be was found in the database: a bug of ours."""
