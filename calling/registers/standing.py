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
                where let.crm_id = :crm_id and let.register_id = used.register_id and let.ended_at is null
                  and (let.assignment_id = {assignment_id}
                    or exists (select from customer_tag mark
                                where mark.crm_id = :crm_id and mark.customer_id = {customer_id}
                                  and mark.tag = let.tag)))"""
_LISTED = """join register_number listed on listed.register_id = used.register_id and listed.e164 = {number}
                                     and listed.added_in <= {in_force}
                                     and (listed.removed_in is null or listed.removed_in > {in_force})"""

USED = """
    (select jsonb_agg(jsonb_build_array(u.register_id, r.in_force) order by u.register_id)
       from crm_register u join register r on r.id = u.register_id
      where u.crm_id = :crm_id and u.ended_at is null and r.in_force is not null) as registers,
    exists (select from register_exemption let
             where let.crm_id = :crm_id and let.ended_at is null) as somebody_let_off"""
"""Two columns of a question: which registers are used in which version, and whether anybody is let off."""


@dataclass(frozen=True, slots=True)
class Used:
    """The registers that a CRM uses, each in its version in force. `let_off`: exemptions stand."""

    pairs: Sequence[Sequence[int]] = ()
    let_off: bool = False

    @property
    def variant(self) -> str:
        """Which of the gates' statements is to be asked."""
        return "none" if not self.pairs else "let off" if self.let_off else "all"

    def bindings(self) -> Mapping[str, Any]:
        """What that statement binds."""
        if not self.pairs:
            return {}
        return {
            "registers": [one for one, _ in self.pairs],
            "versions": [version for _, version in self.pairs],
        }


def variants(number: str, assignment_id: str, customer_id: str) -> Mapping[str, str]:
    """SQL (boolean) of the same as `on_register` for each variant of `Used`, which gives the bindings."""
    used = f"""exists (
        select from unnest(cast(:registers as bigint[]), cast(:versions as bigint[]))
                    used(register_id, in_force)
          {_LISTED.format(number=number, in_force="used.in_force")}"""
    let_off = _NOT_LET_OFF.format(assignment_id=assignment_id, customer_id=customer_id)
    return {"none": "false", "all": f"{used})", "let off": f"{used} where {let_off})"}


def on_register(number: str, assignment_id: str, customer_id: str) -> str:
    """SQL (boolean): the number stands on a register that the CRM uses, and nobody let them off.

    Each argument is SQL; :crm_id is bound.
    """
    return f"""exists (
        select from crm_register used join register r on r.id = used.register_id
          {_LISTED.format(number=number, in_force="r.in_force")}
         where used.crm_id = :crm_id and used.ended_at is null
           and {_NOT_LET_OFF.format(assignment_id=assignment_id, customer_id=customer_id)})"""
