"""The statements about numbers that are out of service, or in it again, as dead_numbers.py runs them."""

from sqlalchemy import text

SHARERS = text("""
    select distinct customer_id from customer_number where crm_id = :crm_id and e164 = any(:numbers)
""")
LOCK = text("""
    select 1 from customer where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
MARK = text("""
    update customer_number m set state = t.state
      from unnest(cast(:numbers as text[]), cast(:states as text[])) as t(e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers)
       and m.state = any(:callable)
""")


def _said(word: str, when: str) -> str:
    """SQL: whoever has number `t` was called there before or behind lease `t` (`when`), and by the word in
    force of that call `word` is true. What calls of this very batch (:told) come to is not written yet.

    By keys whatever the planner has heard of the tables' sizes (offset 0): before the first ANALYZE all
    attempts were read for each lease.
    """
    return f"""exists (
        select from customer_number s
         cross join lateral (
            select from attempt a
             where a.crm_id = :crm_id and a.customer_id = s.customer_id and a.e164 = s.e164
               and a.lease_id {when} t.lease_id
               and a.outcome = any({word}) and not a.lease_id = any(:told)
               and not exists (select from attempt later
                                where later.crm_id = :crm_id and later.lease_id = a.lease_id
                                  and later.revision > a.revision) offset 0) call
         where s.crm_id = :crm_id and s.e164 = t.e164 offset 0)"""  # noqa: S608 - our own words


ANSWERED_SINCE = text(f"""
    select t.lease_id from unnest(cast(:leases as uuid[]), cast(:numbers as text[])) as t(lease_id, e164)
     where {_said(":contacts", ">")}
""")  # noqa: S608 - our own words
# What a person has said of a customer's numbers stays for that customer; nobody knows any more what it was.
_BY_HAND = """exists (select from customer_edit e
                        where e.crm_id = :crm_id and e.customer_id = m.customer_id
                          and 'numbers.state' = any(e.changed))"""
REVIVE = text(f"""
    update customer_number m set state = 'unverified'
      from unnest(cast(:customers as bigint[]), cast(:numbers as text[]), cast(:states as text[]))
           as t(customer_id, e164, state)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers) and m.state = t.state
       and (m.customer_id = t.customer_id or not {_BY_HAND})
""")  # noqa: S608 - our own words
RISE = text(f"""
    update customer_number m set state = 'unverified'
      from unnest(cast(:leases as uuid[]), cast(:numbers as text[])) as t(lease_id, e164)
     where m.crm_id = :crm_id and m.e164 = t.e164 and m.customer_id = any(:sharers)
       and m.state = any(:dead) and not {_BY_HAND}
       and {_said(":deaths", "<")} and not {_said(":deaths", ">")}
""")  # noqa: S608 - our own words
OFFERED = text("""
    select l.id from claim_number n join lease l on l.crm_id = :crm_id and l.id = n.lease_id
     where n.crm_id = :crm_id and n.e164 = any(:numbers) and l.e164 = n.e164 and l.state = 'offered'
     order by l.id
""")
