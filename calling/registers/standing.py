"""Whether a number stands on a register that binds: the SQL that every gate, wall and stamp asks.

A register is bound to a CRM by a row, and the version in force by one row of the register: both are looked up
for each number, so that what is loaded counts for everybody from one commit on, and nothing is rewritten.
"""


def on_register(number: str, assignment_id: str, customer_id: str) -> str:
    """SQL (boolean): the number stands on a register that the CRM uses, and nobody let them off.

    Each argument is SQL; :crm_id is bound.
    """
    return f"""exists (
        select from crm_register used
          join register r on r.id = used.register_id
          join register_number listed on listed.register_id = r.id and listed.e164 = {number}
                                     and listed.added_in <= r.in_force
                                     and (listed.removed_in is null or listed.removed_in > r.in_force)
         where used.crm_id = :crm_id and used.ended_at is null
           and not exists (
               select from register_exemption let
                where let.crm_id = :crm_id and let.register_id = used.register_id and let.ended_at is null
                  and (let.assignment_id = {assignment_id}
                    or exists (select from customer_tag mark
                                where mark.crm_id = :crm_id and mark.customer_id = {customer_id}
                                  and mark.tag = let.tag))))"""  # noqa: S608 - only our own words go in
