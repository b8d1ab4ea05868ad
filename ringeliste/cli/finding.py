"""From a name or an id on the command line to the thing itself, with a hint when there is none."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from models.errors import BadInput
from models.work import Work
from wiring.app import App
from wiring.reading import did_you_mean

_TABLES = {
    "assignment": "select id, name, name as key from assignment where crm_id = :crm_id order by id",
    "segment": """
        select id, name, key from segment
         where crm_id = :crm_id and assignment_id = :assignment_id and retired_at is null
         order by position, id
    """,
    "seller": "select id, name, name as key from seller where crm_id = :crm_id order by id",
    "dialer": "select id, name, name as key from dialer where crm_id = :crm_id order by id",
}
_EVER = text("""
    select id, name, key, retired_at from segment
     where crm_id = :crm_id and assignment_id = :assignment_id order by position, id
""")
_OWNERS = text("""
    select o.id, o.name, o.name as key, min(c.id) as crm_id
      from data_owner o join crm c on c.owner_id = o.id group by o.id, o.name order by o.id
""")
_NO_CRM = "there is no CRM yet: `ringeliste demo` builds one, or `ringeliste import --create` makes yours"
_NONE = {
    "CRM": _NO_CRM,
    "data owner": _NO_CRM,
    "assignment": "this CRM has no assignment yet: `ringeliste import --create --assignment NAME` makes one",
    "segment": "this assignment has no segment: publish rules with `ringeliste rules publish`",
    "seller": "this CRM has no seller yet: `ringeliste people add seller NAME` adds one, with a key",
    "dialer": "this CRM has no dialer yet: `ringeliste people add dialer NAME` adds one, with a key",
}


def find_crm(app: App, wanted: str | None) -> int:
    """The CRM of that name or id, or the only one. Raises BadInput."""
    with app.shared() as session:
        rows = session.execute(text("select id, name, name as key from crm order by id")).all()
    return pick("CRM", wanted, rows)


def find_crm_of(app: App, owner: str | None) -> int:
    """The first CRM of the data owner of that name or id, or of the only one. Raises BadInput."""
    with app.shared() as session:
        rows = session.execute(_OWNERS).all()
    if owner is None and len(rows) > 1:
        raise BadInput(f"say which data owner: {', '.join(row.name for row in rows)}")
    chosen = pick("data owner", owner, rows)
    return next(int(row.crm_id) for row in rows if row.id == chosen)


def first_crm(app: App) -> int:
    """Any CRM will do. Raises BadInput when there is none."""
    crms = app.crms()
    if not crms:
        raise BadInput(_NONE["CRM"])
    return crms[0]


def find(work: Work, what: str, wanted: str | None, **scope: Any) -> int:
    """An assignment, segment, seller or dialer by name, key or id, or the only one. Raises BadInput."""
    return pick(what, wanted, work.run(text(_TABLES[what]), **scope).all())


def find_ever(work: Work, wanted: str, assignment_id: int) -> int:
    """A segment by name, key or id, a deleted one too; of the same name the live one. Raises BadInput."""
    rows = work.run(_EVER, assignment_id=assignment_id).all()
    live = [row for row in rows if row.retired_at is None]
    return pick("segment", wanted, live if any(_meant(wanted, row) for row in live) else rows)


def pick(what: str, wanted: str | None, rows: Sequence[Any]) -> int:
    """Of rows with id, name and key the one that is meant."""
    if not rows:
        raise BadInput(_NONE[what])
    names = [row.name for row in rows]
    if wanted is None:
        if len(rows) > 1:
            raise BadInput(f"say which {what} with --{what.lower()}: {', '.join(names)}")
        return int(rows[0].id)
    found = [row for row in rows if _meant(wanted, row)]
    if not found:
        hint = did_you_mean(wanted, [*names, *(row.key for row in rows)]) or f"; there are {', '.join(names)}"
        raise BadInput(f"there is no {what} {wanted!r}{hint}")
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} are named {wanted!r}; use the id: {', '.join(str(r.id) for r in found)}"
        )
    return int(found[0].id)


def _meant(wanted: str, row: Any) -> bool:
    return wanted in (row.key, str(row.id)) or row.name.casefold() == wanted.casefold()
