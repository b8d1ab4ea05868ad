"""The minimum gap between any two rings to a person: of the one that rang and the one that rings next.

Each assignment says how long whoever it rings is left in peace, before its ring and behind it: of two the
longer counts. Whoever asks for the end of a gap asks here. Nothing of it is kept but when each assignment
last rang whom (`ring_limit`), so a gap that was changed counts at the next look.
"""

UNTIL = "r.rung_at + greatest(rang.gap_seconds, rings.gap_seconds) * interval '1 second'"
"""SQL of the instant at which the gap behind a ring `r` is over, over `last_rings`."""


def last_rings(customer: str, e164: str, assignment: str) -> str:
    """SQL (from ... where ...) of the last ring `r` of each assignment to this customer or this number.

    All three are SQL: a bigint, a text, and the assignment (`rings`) that would ring them next; `rang` is the
    assignment that did.
    """
    return f"""
          from ring_limit r
          join assignment rang on rang.crm_id = :crm_id and rang.id = r.assignment_id
          join assignment rings on rings.crm_id = :crm_id and rings.id = {assignment}
         where r.crm_id = :crm_id
           and ((r.scope = 'customer' and r.subject = cast({customer} as text))
             or (r.scope = 'number' and r.subject = {e164}))"""
