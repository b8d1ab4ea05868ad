"""Who may ask: sellers, dialers and managers with their keys are added, listed, and shut out again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import text

from calling import register
from models.errors import BadInput, Conflict, NotFound
from models.tables.owners import ROLES
from models.work import Work

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A seller, dialer or manager and one of their keys, by the part of it that is no secret.

    `id` is the seller's or dialer's; a manager is nothing but a key. `revoked_at`: the key works no longer.
    """

    role: str
    id: int | None
    name: str
    assignment: str | None
    prefix: str | None
    created_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Added:
    """Who was added, or got a further key (`known`). The key is told this once."""

    role: str
    id: int | None
    name: str
    known: bool
    key: str


_KNOWN = {
    "seller": text("select id from seller where crm_id = :crm_id and name = :name"),
    "dialer": text("select id from dialer where crm_id = :crm_id and name = :name"),
    "manager": text("""
        select id from api_key
         where crm_id = :crm_id and role = 'manager' and label = :name and revoked_at is null limit 1
    """),
}
_MANAGERS = text("""
    select distinct label from api_key
     where crm_id = :crm_id and role = 'manager' and revoked_at is null and btrim(label) <> '' order by label
""")
_LIST = text("""
    with somebody as (
        select 'seller' as role, id, name, assignment_id from seller where crm_id = :crm_id
        union all
        select 'dialer', id, name, assignment_id from dialer where crm_id = :crm_id
    )
    select p.role, p.id, p.name, a.name as assignment, k.prefix, k.created_at, k.revoked_at
      from somebody p
      left join assignment a on a.crm_id = :crm_id and a.id = p.assignment_id
      left join api_key k on k.crm_id = :crm_id and k.role = p.role
                         and p.id = case k.role when 'seller' then k.seller_id else k.dialer_id end
    union all
    select role, null, label, null, prefix, created_at, revoked_at
      from api_key where crm_id = :crm_id and role = 'manager'
     order by role, name, created_at, prefix
""")
_REVOKE = text("""
    update api_key set revoked_at = coalesce(revoked_at, :now) where crm_id = :crm_id and prefix = :prefix
    returning role, seller_id, dialer_id, label, revoked_at
""")


def add(
    work: Work, role: str, name: str, *, assignment_id: int | None = None,
    dialer: Mapping[str, str] | None = None, another_key: bool = False,
) -> Added:  # fmt: skip
    """A person of this role with a key; `another_key`: a further key for one who is there.

    `dialer`: adapter and mode of a dialer. Raises BadInput; Conflict if they are there, NotFound if not.
    """
    name = name.strip()
    if role not in ROLES:
        raise BadInput(f"role: {role!r} is not one of {', '.join(ROLES)}")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"name: {name!r} is no name; give 1 to {LONGEST_NAME} letters on one line")
    found = work.run(_KNOWN[role], name=name).scalar()
    if found is not None and not another_key:
        raise Conflict(f"there is a {role} {name!r} already; --another-key gives them a further key")
    if found is None and another_key:
        raise NotFound(role, repr(name))
    known = found is not None
    if role == "seller" and found is None:
        found = register.add_seller(work, name, assignment_id=assignment_id)
    elif role == "dialer" and found is None:
        found = register.add_dialer(work, name, assignment_id=assignment_id, settings={}, **(dialer or {}))
    held: dict[str, Any] = {} if role == "manager" else {f"{role}_id": found}
    key = register.add_key(work.session, work.crm_id, role, name, now=work.now, **held)
    return Added(role, held.get(f"{role}_id"), name, known, key)


def manager_named(work: Work, name: str) -> str:
    """The name of a manager of the CRM; any name while nobody is known to be one. Raises BadInput."""
    name = name.strip()
    known = list(work.run(_MANAGERS).scalars())
    if not known or name in known:
        return name
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"managers are {', '.join(map(repr, known[:5]))}"
    raise BadInput(f"manager: {name!r} is no manager of this CRM; {hint}", manager=name)


def everybody(work: Work) -> Sequence[Person]:
    """All of the CRM, with every key they have or had; who has none is there once, without."""
    return [Person(**row._mapping) for row in work.run(_LIST)]


def revoke(work: Work, key: str) -> Person:
    """Shut a key out, told whole or by its prefix; whose it was. Again changes nothing. Raises NotFound."""
    prefix = key.removeprefix("rl_").partition("_")[0]
    row = work.run(_REVOKE, prefix=prefix, now=work.now).first()
    if row is None:
        raise NotFound("key", f"rl_{prefix}")
    return Person(row.role, row.seller_id or row.dialer_id, row.label, None, prefix, None, row.revoked_at)
