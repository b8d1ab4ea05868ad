"""Every tick there is, in one tuple. A tick only asks; asking twice, late or in vain does no harm."""

from collections.abc import Callable
from dataclasses import dataclass

from dramatiq import Actor

from calling.limits.following import changes_to_follow
from calling.registers.stamping import uses_to_stamp
from calling.segments.bulk import actions_to_do
from calling.segments.resegmenting import rebuilds_to_do
from models.work import OpenWork
from scheduler.subjects import assignments_wanting, dialers_told
from workers.allocate import allocate
from workers.best_hours import best_hours
from workers.bulk import bulk
from workers.facets import facets
from workers.inbox import inbox
from workers.limits import limits
from workers.partitions import partitions
from workers.reap import reap
from workers.rebuild import rebuild
from workers.registers import registers
from workers.sweep import sweep
from workers.versions import versions
from workers.wake_due import wake_due
from workers.walls import walls

HOUR = 3600.0

Subjects = Callable[[OpenWork], list[int]]


@dataclass(frozen=True, slots=True)
class Tick:
    """Asks `actor` every so many seconds of wall time, for each CRM and each of its `subjects`.

    Wall time, since on a simulated clock of 60 times the speed a business minute is one second: what people
    wait for ticks every second at any speed. `per_crm` is False for what concerns shared tables alone.
    `alone`: the scheduler does it itself while Redis is away.
    """

    name: str
    every: float
    actor: Actor[..., None]
    subjects: Subjects | None = None
    per_crm: bool = True
    alone: bool = False


TICKS = (
    Tick("due", 1, wake_due, alone=True),
    Tick("sweep", 1, sweep, alone=True),
    Tick("reap", 1, reap, alone=True),
    Tick("top-up", 1, allocate, subjects=assignments_wanting),
    Tick("inbox", 2, inbox, subjects=dialers_told, alone=True),
    Tick("walls", 5, walls, alone=True),
    Tick("rebuilds", 5, rebuild, subjects=rebuilds_to_do),
    Tick("bulk", 5, bulk, subjects=actions_to_do),
    Tick("limits", 5, limits, subjects=changes_to_follow),
    Tick("best-hours", 60, best_hours),
    Tick("registers", 5, registers, subjects=uses_to_stamp),
    Tick("facets", HOUR, facets, alone=True),
    # At once when a scheduler begins to lead, as it does behind an upgrade; else it finds nothing to do.
    Tick("versions", HOUR, versions),
    # Hourly, and at once when a scheduler begins to lead: a simulated month may pass in half a day.
    Tick("partitions", HOUR, partitions, per_crm=False, alone=True),
)
