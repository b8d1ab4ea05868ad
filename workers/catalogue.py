"""Every duty there is. A worker loads this list; a duty that is not in it is never done."""

from typing import Any

from dramatiq import Actor

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

DUTIES: tuple[Actor[Any, None], ...] = (
    allocate, best_hours, bulk, facets, inbox, limits, partitions, reap, rebuild, registers, sweep,
    versions, wake_due, walls,
)  # fmt: skip
