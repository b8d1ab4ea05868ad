"""Whether a number stands on a register that binds: the SQL that every gate, wall and stamp asks.

A register is bound to a CRM by a row, and the version in force by one row of the register: what is loaded
counts for everybody from one commit on. Gates are told which registers are used by a question that is asked
before them anyway, and have statements without any for the CRMs that use none: half the cost of such a
statement is to set it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NOT_LET_OFF = """not exists (
               select from register_exemption let
                where let.crm_id = :crm_id and let.register_id = listed.register_id and let.ended_at is null
                  and (let.assignment_id = {assignment_id}
                    or exists (select from customer_tag mark
                                where mark.crm_id = :crm_id and mark.customer_id = {customer_id}
                                  and mark.tag = let.tag)))"""
_IN_FORCE = "listed.added_in <= r.in_force and (listed.removed_in is null or listed.removed_in > r.in_force)"

USED = """
    array(select u.register_id from crm_register u
           where u.crm_id = :crm_id and u.ended_at is null order by u.register_id) as registers,
    exists (select from register_exemption let
             where let.crm_id = :crm_id and let.ended_at is null) as somebody_let_off"""
"""Two columns of a question: which registers are used, and whether anybody is let off."""


@dataclass(frozen=True, slots=True)
class Used:
    """The registers (ids) that a CRM uses. `let_off`: exemptions stand."""

    registers: Sequence[int] = ()
    let_off: bool = False

    @property
    def variant(self) -> str:
        """Which of the gates' statements is to be asked."""
        return "none" if not self.registers else "let off" if self.let_off else "all"

    def bindings(self) -> Mapping[str, Any]:
        """What that statement binds."""
        return {"registers": list(self.registers)} if self.registers else {}


def variants(number: str, assignment_id: str, customer_id: str) -> Mapping[str, str]:
    """SQL (boolean) of the same as `on_register` for each variant of `Used`, which gives the bindings.

    Through a subselect, so that the planner cannot see how many there are: one plan fits all and is kept.
    """
    named = f"""exists (
        select from register_number listed join register r on r.id = listed.register_id
         where listed.register_id = any((select cast(:registers as bigint[]))::bigint[])
           and listed.e164 = {number}
           and {_IN_FORCE}"""
    let_off = _NOT_LET_OFF.format(assignment_id=assignment_id, customer_id=customer_id)
    return {"none": "false", "all": f"{named})", "let off": f"{named} and {let_off})"}


def on_register(number: str, assignment_id: str, customer_id: str) -> str:
    """SQL (boolean): the number stands on a register that the CRM uses, and nobody let them off.

    Each argument is SQL; :crm_id is bound.
    """
    return f"exists (select {naming(number, assignment_id, customer_id)})"


def naming(number: str, assignment_id: str, customer_id: str) -> str:
    """SQL: the registers `r` on which the number stands, from `from` on; arguments as of `on_register`."""
    return f"""
          from crm_register used join register r on r.id = used.register_id
          join register_number listed on listed.register_id = used.register_id and listed.e164 = {number}
         where used.crm_id = :crm_id and used.ended_at is null and {_IN_FORCE}
           and {_NOT_LET_OFF.format(assignment_id=assignment_id, customer_id=customer_id)}"""
