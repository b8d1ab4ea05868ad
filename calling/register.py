"""The register: data owners, CRMs, assignments, sellers, dialers and their keys come into being here."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from calling.walls import scopes, shared_pauses, spreading
from models.errors import BadInput
from models.tables import ApiKey, Assignment, Crm, DataOwner, Dialer, Segment, Seller
from models.tables.assignments import UNSEGMENTED
from models.work import Work

LAST = 1_000_000
"""Position of Unsegmented: behind every rule."""


def add_crm(
    session: Session,
    owner: str,
    name: str,
    *,
    now: datetime,
    region: str,
    hours: Mapping[str, Any],
    kind: str = "b2c",
) -> int:
    """A CRM of a data owner (made if new), with its own hours {"mon": [["09:00", "21:00"]], ...}; its id.

    What may not be called in all CRMs of the owner, or by everyone, is on its list from the first day; and
    while all of them are paused, it is.
    """
    session.execute(spreading.FOUND)  # whoever shares something meanwhile finds us, or is found by us
    owner_id = session.scalar(select(DataOwner.id).where(DataOwner.name == owner))
    if owner_id is None:
        owner_id = session.scalar(
            insert(DataOwner).values(name=owner, created_at=now).returning(DataOwner.id)
        )
    values = {"owner_id": owner_id, "kind": kind, "name": name, "region": region, "hours": dict(hours)}
    made = insert(Crm).values(**values, created_at=now).returning(Crm.id)
    crm_id = int(session.execute(made).scalar_one())
    session.execute(text(f"set local app.crm_id = {crm_id}"))  # behind its wall, for two statements
    for inherit in (scopes.INHERIT, shared_pauses.INHERIT):
        session.execute(inherit, {"crm_id": crm_id, "now": now})
    session.execute(text("set local app.crm_id = ''"))
    return crm_id


def find_crm(session: Session, name: str) -> int | None:
    """The CRM of that name, if there is just one."""
    found = session.scalars(select(Crm.id).where(Crm.name == name)).all()
    if len(found) > 1:
        raise BadInput(f"crm: {len(found)} data owners have a CRM named {name!r}; use its id", name=name)
    return found[0] if found else None


def add_assignment(work: Work, name: str, **settings: Any) -> int:
    """An assignment with nothing in it but Unsegmented; its id. `settings` are columns of Assignment."""
    values = {"crm_id": work.crm_id, "name": name, "created_at": work.now, **settings}
    key = work.session.execute(insert(Assignment).values(**values).returning(Assignment.id)).scalar_one()
    work.session.execute(
        insert(Segment).values(
            crm_id=work.crm_id, assignment_id=key, key=UNSEGMENTED, name="Unsegmented",
            position=LAST, created_at=work.now,
        )
    )  # fmt: skip
    return int(key)


def add_seller(work: Work, name: str, *, assignment_id: int | None = None) -> int:
    """A seller, away until they say otherwise, and what they are to work; their id."""
    values = {
        "crm_id": work.crm_id, "name": name, "presence_since": work.now, "assignment_id": assignment_id,
    }  # fmt: skip
    return int(work.session.execute(insert(Seller).values(**values).returning(Seller.id)).scalar_one())


def add_dialer(
    work: Work, name: str, *, adapter: str, mode: str, assignment_id: int | None, settings: Mapping[str, Any]
) -> int:
    """An autodialer and the assignment it works; its id."""
    values = {
        "crm_id": work.crm_id, "name": name, "adapter": adapter, "mode": mode,
        "assignment_id": assignment_id, "settings": dict(settings),
    }  # fmt: skip
    return int(work.session.execute(insert(Dialer).values(**values).returning(Dialer.id)).scalar_one())


def add_key(
    session: Session, crm_id: int, role: str, label: str, *,
    now: datetime, seller_id: int | None = None, dialer_id: int | None = None,
) -> str:  # fmt: skip
    """A bearer key, shown this once: only its SHA-256 is kept."""
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(24)
    session.execute(
        insert(ApiKey).values(
            prefix=prefix, hash=_digest(secret), role=role, crm_id=crm_id, seller_id=seller_id,
            dialer_id=dialer_id, label=label, created_at=now,
        )
    )  # fmt: skip
    return f"rl_{prefix}_{secret}"


_KEY = text("""
    select id, hash, role, crm_id, seller_id, dialer_id from api_key
     where prefix = :prefix and revoked_at is null
""")


def holder_of(session: Session, key: str) -> Any | None:
    """The row of a valid bearer key (role, crm_id, seller_id, dialer_id), else None."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "rl":
        return None
    row = session.execute(_KEY, {"prefix": parts[1]}).first()
    return row if row and secrets.compare_digest(row.hash, _digest(parts[2])) else None


def _digest(secret: str) -> str:
    """Keys are 192 random bits, so a plain digest is as good as a slow one."""
    return hashlib.sha256(secret.encode()).hexdigest()
