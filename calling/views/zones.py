"""Whose zone nobody knows, and who has vouched for one."""

from typing import Any

from sqlalchemy import Row, text

from models.work import Work

_HISTORY = text("""
    select id, zone, source, author, reason, contradicts, verified_at, ended_at, ended_by, ended_reason
      from zone_verification
     where crm_id = :crm_id and customer_id = :customer_id and id > :after order by id limit :most
""")
# By ix_customer_zone_unknown: whose zone is unknown is reckoned in Etc/UTC, and nobody may vouch for that.
_UNKNOWN = text("""
    select c.id, c.external_id, c.name, c.place, c.created_at,
           array(select m.e164 from customer_number m
                  where m.crm_id = :crm_id and m.customer_id = c.id order by m.position, m.e164) as numbers
      from customer c
     where c.crm_id = :crm_id and c.reckoning_zone = 'Etc/UTC' and c.anonymised_at is null
       and c.id > :after
     order by c.id limit :most
""")
_COUNT_UNKNOWN = text("""
    select count(*) from customer
     where crm_id = :crm_id and reckoning_zone = 'Etc/UTC' and anonymised_at is null
""")


def history(work: Work, customer_id: int, after: int, most: int) -> list[Row[Any]]:
    """Who vouched for which zone, why, and how it ended; from the first on."""
    return list(work.run(_HISTORY, customer_id=customer_id, after=after, most=most))


def unknown_zones(work: Work, after: int, most: int) -> list[Row[Any]]:
    """Customers whose zone nobody knows, so that nobody calls them; by id, above `after`."""
    return list(work.run(_UNKNOWN, after=after, most=most))


def count_unknown(work: Work) -> int:
    """How many customers nobody can call for want of a zone."""
    return int(work.run(_COUNT_UNKNOWN).scalar_one())
