"""A CRM follows its registers: the wall first, then the stamps; and who is needed no more is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from calling.handout.recalling import Elsewhere, Patience, WallAnswer, no_patience
from calling.registers.coming import Shared
from calling.registers.stamping import Progress, nobody, stamp
from calling.registers.walling import stands, wall
from models.work import OpenWork

KEPT = timedelta(days=400)
"""So long numbers stay that left a register: rings of that time are judged by them. Our own choice."""

# The last version of each register that has been in force for so long.
_LONG_AGO = text("""
    select register_id, max(id) as version from register_version
     where in_force_at < :before group by register_id order by register_id
""")
_OLDEST = text("""
    select u.register_id, min(coalesce(u.stamped_version, 0)) as version from crm_register u
     where u.crm_id = :crm_id and u.ended_at is null group by u.register_id
""")
_FORGET = text("select forget_register_numbers(:register_id, :version)")


@dataclass(slots=True)
class Followed:
    """What following found in the air, how many CRMs use a register, and how many placements changed."""

    in_the_air: Elsewhere
    stamped: int = 0


def follow(open_work: OpenWork, patience: Patience = no_patience, progress: Progress = nobody) -> WallAnswer:
    """The wall, then the stamps, of one CRM: a tick calls it for what a crash left."""
    answer = wall(open_work, patience)
    stamp(open_work, progress)
    return answer


def follow_everywhere(
    shared: Shared, openers: Mapping[int, OpenWork], *, now: datetime, patience: Patience = no_patience,
    progress: Progress = nobody,
) -> Followed:  # fmt: skip
    """Every wall first, then every CRM's stamps; then whom nobody will ask for any more is forgotten."""
    followed = Followed(Elsewhere())
    for open_work in openers.values():
        if not stands(open_work):
            followed.in_the_air.add(wall(open_work, patience))
    for open_work in openers.values():
        followed.stamped += stamp(open_work, progress)
    forget(shared, openers, now)
    return followed


def forget(shared: Shared, openers: Mapping[int, OpenWork], now: datetime) -> None:
    """Numbers are deleted that left a register long ago, and before the version every CRM is stamped by."""
    oldest: dict[int, int] = {}
    with shared() as session:
        for row in session.execute(_LONG_AGO, {"before": now - KEPT}):
            oldest[row.register_id] = row.version
    for open_work in openers.values() if oldest else ():
        with open_work() as work:
            for row in work.run(_OLDEST):
                if row.register_id in oldest:
                    oldest[row.register_id] = min(oldest[row.register_id], row.version)
    with shared() as session:
        for register_id, version in oldest.items():
            session.execute(_FORGET, {"register_id": register_id, "version": version})
