"""Customers by the ids that their own system gave them."""

from collections.abc import Sequence

from sqlalchemy import text

from models.work import Work

_IDS = text("""
    select external_id, id from customer
     where crm_id = :crm_id and external_id = any(:external_ids) and anonymised_at is null
""")


def ids_of(work: Work, external_ids: Sequence[str]) -> dict[str, int]:
    """External id -> id of those who are customers; whoever is none, or anonymised, is missing."""
    return {row.external_id: row.id for row in work.run(_IDS, external_ids=list(external_ids))}
