"""The statements of a zone that is verified or withdrawn, in the order in which vouching.py runs them."""

from sqlalchemy import text

LOCK = text("""
    select id, external_id, place, verified_zone, anonymised_at from customer
     where crm_id = :crm_id and id = any(:customers) order by id for no key update
""")
STANDING = text("""
    select customer_id, zone, source, author from zone_verification
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null
""")
END = text("""
    update zone_verification set ended_at = :now, ended_by = :author, ended_reason = cast(:reason as text)
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null
""")
SAY = text("""
    insert into zone_verification
           (crm_id, customer_id, zone, source, author, reason, contradicts, verified_at)
    select :crm_id, t.customer_id, t.zone, cast(:source as text), :author, t.reason, t.contradicts, :now
      from unnest(cast(:customers as bigint[]), cast(:zones as text[]), cast(:reasons as text[]),
                  cast(:contradicts as boolean[])) as t(customer_id, zone, reason, contradicts)
     order by t.customer_id
""")
WRITE = text("""
    update customer c set verified_zone = t.zone
      from unnest(cast(:customers as bigint[]), cast(:zones as text[])) as t(customer_id, zone)
     where c.crm_id = :crm_id and c.id = t.customer_id
""")
OFFERED = text("""
    select id from lease
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null and state = 'offered'
     order by id
""")
