"""The statements of a zone that is verified or withdrawn, in the order in which verifying.py runs them."""

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
# Promised in so many words on the wall of the zone in which they were reckoned to be.
PROMISED = text("""
    select customer_id, wall_time, zone from follow_up
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null order by customer_id, id
""")
OFFERED = text("""
    select id from lease
     where crm_id = :crm_id and customer_id = any(:customers) and ended_at is null and state = 'offered'
     order by id
""")
HISTORY = text("""
    select id, zone, source, author, reason, contradicts, verified_at, ended_at, ended_by, ended_reason
      from zone_verification
     where crm_id = :crm_id and customer_id = :customer_id and id > :after order by id limit :most
""")
# By ix_customer_zone_unknown. A customer whose clock was not made yet by a rezoning stands here as well.
UNKNOWN = text("""
    select c.id, c.external_id, c.name, c.place, c.created_at,
           array(select m.e164 from customer_number m
                  where m.crm_id = :crm_id and m.customer_id = c.id order by m.position, m.e164) as numbers
      from customer c
     where c.crm_id = :crm_id and c.reckoning_zone = 'Etc/UTC' and c.anonymised_at is null
       and c.id > :after
     order by c.id limit :most
""")
COUNT_UNKNOWN = text("""
    select count(*) from customer
     where crm_id = :crm_id and reckoning_zone = 'Etc/UTC' and anonymised_at is null
""")
