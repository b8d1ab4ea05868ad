"""What stops a number for itself, as SQL for lists: its do-not-call entry, and the registers that name it."""

from calling.registers.standing import naming

_SCOPES = "array_position(array['everyone', 'owner', 'crm'], s.scope)"


def suppressed(number: str) -> str:
    """SQL (text): the widest scope of the do-not-call entries that stand for a number; null: none does."""
    return f"""(select s.scope from suppression s
                 where s.crm_id = :crm_id and s.e164 = {number} and s.lifted_at is null
                   and (s.expires_at is null or s.expires_at > :now)
                 order by {_SCOPES} limit 1)"""  # noqa: S608 - only our own words go in


def registers(number: str, customer_id: str, assignment_id: str = "null") -> str:
    """SQL (text[]): the registers in use that name a number, without those by which nobody is stopped."""
    return f"array(select r.name {naming(number, assignment_id, customer_id)} order by r.name)"
