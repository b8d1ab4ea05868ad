"""The minimum gap between any two rings to a person: of the one that rang and the one that rings next.

Each assignment says how long whoever it rings is left in peace, before its ring and behind it: of two the
longer counts. Whoever asks for the end of a gap asks here. Nothing of it is kept but when each assignment
last rang whom (`ring_limit`), so a gap that was changed counts at the next look.
"""


def until(assignment: str) -> str:
    """SQL of the instant at which the gap behind a ring `r` of `last_rings` is over for this assignment.

    Its own gap is asked once, however many rings there are.
    """
    return f"""r.rung_at + greatest(rang.gap_seconds, (
        select rings.gap_seconds from assignment rings
         where rings.crm_id = :crm_id and rings.id = {assignment})) * interval '1 second'"""  # noqa: S608


def last_rings(customer: str, e164: str) -> str:
    """SQL (from ... where ...) of the last ring `r` of each assignment to this customer or this number.

    Both are SQL, of a bigint and a text. `rang` is the assignment that rang. What no gap of the CRM reaches
    any more is left out before anything else is asked of it. Two questions by the whole key: with an `or`
    every ring was read for each customer.
    """
    return f"""
          from (select * from ring_limit
                 where crm_id = :crm_id and scope = 'customer' and subject = cast({customer} as text)
                union all
                select * from ring_limit
                 where crm_id = :crm_id and scope = 'number' and subject = {e164}) r
          join assignment rang on rang.crm_id = :crm_id and rang.id = r.assignment_id
         where r.rung_at > :now - interval '1 second' * (
                   select max(gap_seconds) from assignment longest where longest.crm_id = :crm_id)"""  # noqa: S608
