"""Dry runs: the real verb in one transaction that is rolled back, so that what is told is what would be."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from random import SystemRandom

from sqlalchemy.orm import Session

from models.ids import time_ordered_id
from models.work import OpenWork, Work
from wiring.app import App, enter_crm


class _Enough(Exception):
    """The end of a trial: everything is rolled back."""


@contextmanager
def rolled_back(app: App) -> Iterator[Session]:
    """A session whose work is never kept."""
    with suppress(_Enough), app.shared() as session:
        yield session
        raise _Enough


def inside(app: App, session: Session, crm_id: int) -> OpenWork:
    """Every transaction of a verb becomes a part of this one; hints are never published."""
    enter_crm(session.connection(), crm_id)
    dice = SystemRandom()
    work = Work(session, crm_id, app.now(), lambda now: time_ordered_id(now, dice))

    def open_work() -> AbstractContextManager[Work]:
        return nullcontext(work)

    return open_work
