"""How a command comes to the database: to read, to write, or to see what writing would do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.errors import Unavailable
from models.work import OpenWork, Work
from ringeliste.cli.finding import find, find_crm
from ringeliste.cli.trial import inside, rolled_back
from wiring.app import App
from wiring.locks import SCHEDULER, taken
from wiring.settings import Settings


@contextmanager
def application(*, publishing: bool = False) -> Iterator[App]:
    """The application from the environment; `publishing`: what it commits is told to the workers."""
    settings = Settings.from_env()
    if not settings.database_url:
        raise Unavailable(f"nothing runs in {settings.data}, and DATABASE_URL is not set")
    app = App(settings)
    if publishing and app.settings.redis_url:
        from workers.sending import connect

        connect(app.settings)
    try:
        yield app
    finally:
        app.close()


def somebody_works(app: App) -> bool:
    """Whether a scheduler leads: who has one runs workers beside it, and it asks them again and again."""
    with app.shared() as session:
        return taken(session, *SCHEDULER)


@contextmanager
def reading(crm: str | None, assignment: str | None, *, snapshot: bool = False) -> Iterator[tuple[Work, int]]:
    """One transaction in the CRM named, and the assignment's id. `snapshot`: all of it is of one instant."""
    with application() as app, app.work(find_crm(app, crm), snapshot=snapshot) as work:
        yield work, find(work, "assignment", assignment)


@contextmanager
def writing(crm: str | None, *, dry_run: bool) -> Iterator[tuple[App, OpenWork]]:
    """The door to the CRM named. In a dry run every transaction is part of one that is rolled back."""
    with writing_where(lambda app: find_crm(app, crm), dry_run=dry_run) as both:
        yield both


@contextmanager
def writing_where(where: Callable[[App], int], *, dry_run: bool) -> Iterator[tuple[App, OpenWork]]:
    """The same for the CRM whose id `where` finds."""
    with application(publishing=not dry_run) as app:
        crm_id = where(app)
        if not dry_run:
            yield app, app.opener(crm_id)
            return
        with rolled_back(app) as session:
            yield app, inside(app, session, crm_id)


@contextmanager
def writing_in(
    crm: str | None, assignment: str | None, *, dry_run: bool
) -> Iterator[tuple[App, OpenWork, int]]:
    """The same, and the id of the assignment named."""
    with writing(crm, dry_run=dry_run) as (app, open_work):
        with open_work() as work:
            assignment_id = find(work, "assignment", assignment)
        yield app, open_work, assignment_id
