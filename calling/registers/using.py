"""Which registers a CRM obeys, and whom a named manager lets off; rows are added and ended."""

from typing import Any

from sqlalchemy import text

from calling.handout.recalling import Patience, WallAnswer, no_patience
from calling.people import manager_named
from calling.registers.law import register_named
from calling.registers.walling import wall
from models.errors import BadInput, Conflict, NotFound
from models.tags import read_tag
from models.work import OpenWork, Work

_REGISTER = text("insert into register (name) values (:name) on conflict (name) do nothing")
_USE = text("""
    insert into crm_register (crm_id, register_id, author, used_since)
    select :crm_id, id, :author, :now from register where name = :name
    on conflict (crm_id, register_id) where ended_at is null do nothing
    returning id
""")
_END = text("""
    update crm_register u
       set ended_at = :now, ended_by = :author, changes = changes + 1, stamped_version = null, done_to = 0,
           done_version = null
      from register r
     where u.crm_id = :crm_id and u.ended_at is null and r.id = u.register_id and r.name = :name
    returning u.id
""")
_STANDING = text("""
    select u.id, u.register_id from crm_register u join register r on r.id = u.register_id
     where u.crm_id = :crm_id and u.ended_at is null and r.name = :name
""")
_EXEMPT = text("""
    insert into register_exemption (crm_id, register_id, assignment_id, tag, reason, manager, author,
                                    given_at)
    values (:crm_id, :register_id, :assignment_id, :tag, :reason, :manager, :author, :now)
    returning id
""")
_EXEMPTION = text("""
    select register_id, ended_at from register_exemption where crm_id = :crm_id and id = :id for update
""")
_END_EXEMPTION = text("""
    update register_exemption set ended_at = :now, ended_by = :author where crm_id = :crm_id and id = :id
""")
_ASSIGNMENT = text("select 1 from assignment where crm_id = :crm_id and id = :assignment_id")
# An ended one is a wall of its own; after either everybody is stamped anew.
_ANEW = text("""
    update crm_register
       set changes = changes + 1, stamped_version = null, done_to = 0, done_version = null,
           walled_version = case when :walled then walled_version end
     where crm_id = :crm_id and register_id = :register_id and ended_at is null
""")


def use(open_work: OpenWork, name: str, *, author: str, patience: Patience = no_patience) -> WallAnswer:
    """This CRM obeys a register from now on; what was in the air (P8). Obeying it already changes nothing.

    A register that was never loaded, or grew too old, lets nobody in its country be called.
    Stamps follow (`stamp`, or the tick). Raises NotFound.
    """
    row = register_named(name)
    with open_work() as work:
        work.run(_REGISTER, name=row.name)
        work.run(_USE, name=row.name, author=author)
    return wall(open_work, patience)


def use_no_more(open_work: OpenWork, name: str, *, author: str) -> None:
    """This CRM obeys a register no longer. Raises NotFound, Conflict when it did not."""
    row = register_named(name)
    with open_work() as work:
        if work.run(_END, name=row.name, author=author).first() is None:
            raise Conflict(f"this CRM does not use {row.name}")


def exempt(
    open_work: OpenWork, name: str, *, assignment_id: int | None = None, tag: str | None = None, reason: str,
    manager: str | None = None, author: str,
) -> int:  # fmt: skip
    """Let an assignment, or customers with a tag, be called although a register names them; the row's id.

    `manager` answers for it by name: by whose consent, or since when they are customers, is the `reason`.
    One of the CRM's managers where any is known; `author`, who enters it, if nobody is named.
    Raises BadInput, NotFound, Conflict when this CRM does not use the register.
    """
    row = register_named(name)
    if (assignment_id is None) == (tag is None):
        raise BadInput("exemption: give an assignment or a tag, one of the two")
    answers_for_it = author if manager is None else manager
    if not answers_for_it.strip() or not reason.strip():
        raise BadInput("exemption: needs the name of the manager who answers for it, and a reason")
    if tag is not None:
        tag = _tag(tag)
    with open_work() as work:
        if assignment_id is not None and not work.run(_ASSIGNMENT, assignment_id=assignment_id).first():
            raise NotFound("assignment", assignment_id)
        if manager is not None:
            answers_for_it = manager_named(work, manager)
        used = work.run(_STANDING, name=row.name).first()
        if used is None:
            raise Conflict(f"this CRM does not use {row.name}: there is nothing to be let off")
        key = work.run(
            _EXEMPT, register_id=used.register_id, assignment_id=assignment_id, tag=tag,
            reason=reason.strip(), manager=answers_for_it.strip(), author=author,
        ).scalar_one()  # fmt: skip
        _anew(work, used.register_id, walled=True)
    return int(key)


def end_exemption(
    open_work: OpenWork, exemption_id: int, *, author: str, patience: Patience = no_patience
) -> WallAnswer:
    """From here on the register binds them again; what was in the air. Raises NotFound, Conflict."""
    with open_work() as work:
        row: Any = work.run(_EXEMPTION, id=exemption_id).first()
        if row is None:
            raise NotFound("exemption", exemption_id)
        if row.ended_at is not None:
            raise Conflict(f"exemption {exemption_id} ended already", ended_at=row.ended_at)
        work.run(_END_EXEMPTION, id=exemption_id, author=author)
        _anew(work, row.register_id, walled=False)
    return wall(open_work, patience)


def _tag(text_: str) -> str:
    try:
        return read_tag(text_)
    except ValueError as error:
        raise BadInput(f"tag: {text_[:60]!r} {error}") from None


def _anew(work: Work, register_id: int, *, walled: bool) -> None:
    work.run(_ANEW, register_id=register_id, walled=walled)
