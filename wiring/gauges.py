"""What the database itself knows, read when somebody asks for metrics: leases, and what waits longest."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text

from calling.dialers.set_aside import unseen
from calling.follow_ups.late import late_promises
from calling.views.dry import dry_lists
from calling.views.registers import register_states
from calling.views.who_has_whom import many_unconfirmed
from models.errors import RingelisteError
from models.tables.attempts import PROBLEM_KINDS
from models.work import Work
from wiring.app import App
from wiring.failures import reason

log = structlog.get_logger(__name__)

# Live leases are few; each of the others is the first row of a partial index.
_LEASES = text(
    """
    select state, count(*) as live, min(offered_at) as since, min(wrap_up_at) as wrapping from lease
    where crm_id = :crm_id and ended_at is null group by state
    """
)
_WAITING = text(
    """
    select expired_lease, due, promise, event, rebuild
    from (select min(expires_at) as expired_lease from lease
          where crm_id = :crm_id and ended_at is null) as leases,
         (select min(due_at) as due from placement
          where crm_id = :crm_id and state = 'resting') as placements,
         (select min(due_at) as promise from placement
          where crm_id = :crm_id and state = 'follow_up') as promises,
         (select min(received_at) as event from dialer_event
          where crm_id = :crm_id and processed_at is null) as events,
         (select min(requested_at) as rebuild from rebuild
          where crm_id = :crm_id and finished_at is null) as rebuilds
    """
)
_BROKEN = text("select count(*) from broken_rule where crm_id = :crm_id")


class DatabaseGauges(Collector):
    """A collector for a registry: `REGISTRY.register(DatabaseGauges(app))`, in one process (the web)."""

    def __init__(self, app: App) -> None:
        self._app = app

    def describe(self) -> list[GaugeMetricFamily]:
        """Registering asks nobody."""
        return self._families()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A few small queries a CRM. A CRM or a database that does not answer leaves its samples out."""
        families = self._families()
        leases, oldest, wrap_up, untold, waiting, broken, dry, late, registers, aside, up = families
        try:
            for crm_id in self._app.crms():
                with self._app.work(crm_id) as work:
                    _measure(work, leases, oldest, wrap_up, waiting)
                    untold.add_metric([str(crm_id)], many_unconfirmed(work))
                    broken.add_metric([str(crm_id)], work.run(_BROKEN).scalar_one())
                    alarming = (one.gate for one in dry_lists(work) if not one.after_hours)
                    for gate, lists in Counter(alarming).items():
                        dry.add_metric([str(crm_id), gate], lists)
                    for gate, promises in _by_gate(work).items():
                        late.add_metric([str(crm_id), gate], promises)
                    _of_registers(work, registers)
                    lying = unseen(work)
                    for kind in PROBLEM_KINDS:
                        aside.add_metric([str(crm_id), kind], lying.kinds.get(kind, 0))
                    waits = _seconds(work.now, lying.since)
                    waiting.add_metric([str(crm_id), "set_aside"], waits)
            up.add_metric([], 1)
        except RingelisteError as error:
            log.warning("metrics of the database are missing", error=reason(error))
            up.add_metric([], 0)
        yield from families

    @staticmethod
    def _families() -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily("ringeliste_leases", "Leases that are live.", labels=["crm", "state"]),
            GaugeMetricFamily(
                "ringeliste_oldest_lease_seconds",
                "Age of the oldest live lease, business time.",
                labels=["crm"],
            ),
            GaugeMetricFamily(
                "ringeliste_oldest_wrap_up_seconds",
                "How long ago the oldest call that is in wrap-up was over, business time; 0: none is.",
                labels=["crm"],
            ),
            GaugeMetricFamily(
                "ringeliste_unconfirmed_calls",
                "Calls of the last seven days of which nobody has told what they came to.",
                labels=["crm"],
            ),
            GaugeMetricFamily(
                "ringeliste_overdue_seconds",
                "How long the oldest of what should have been done waits, business time; 0: nothing waits.",
                labels=["crm", "what"],
            ),
            GaugeMetricFamily(
                "ringeliste_broken_rules",
                "Rules that cannot be read; the last form of each that can is in force. 0 is well.",
                labels=["crm"],
            ),
            GaugeMetricFamily(
                "ringeliste_dry_lists",
                "Assignments that somebody works and that have nobody to ring within their hours, "
                "by what stops most.",
                labels=["crm", "gate"],
            ),
            GaugeMetricFamily(
                "ringeliste_late_promises",
                "Promised calls whose time and grace are over, by what keeps them; `nobody`: nothing does.",
                labels=["crm", "gate"],
            ),
            GaugeMetricFamily(
                "ringeliste_register_days_left",
                "Days for which a register that is used may be called by; below 0: stale or not loaded.",
                labels=["crm", "register"],
            ),
            GaugeMetricFamily(
                "ringeliste_set_aside",
                "What was told, could not be used and nobody has looked at, by why: each may be a missing "
                "result.",
                labels=["crm", "kind"],
            ),
            GaugeMetricFamily("ringeliste_database_up", "1 while PostgreSQL answers."),
        ]


def _by_gate(work: Work) -> Counter[str]:
    late: Counter[str] = Counter()
    for one in late_promises(work):
        late[one.gate] += one.promises
    return late


def _measure(
    work: Work, leases: GaugeMetricFamily, oldest: GaugeMetricFamily, wrap_up: GaugeMetricFamily,
    waiting: GaugeMetricFamily,
) -> None:  # fmt: skip
    """Add the samples of one CRM."""
    crm = str(work.crm_id)
    rows = work.run(_LEASES).mappings().all()
    for row in rows:
        leases.add_metric([crm, row["state"]], row["live"])
    oldest.add_metric([crm], _seconds(work.now, min((row["since"] for row in rows), default=None)))
    wrapping = min((row["wrapping"] for row in rows if row["wrapping"]), default=None)
    wrap_up.add_metric([crm], _seconds(work.now, wrapping))
    for what, since in work.run(_WAITING).mappings().one().items():
        waiting.add_metric([crm, what], _seconds(work.now, since))


def _of_registers(work: Work, days_left: GaugeMetricFamily) -> None:
    """Add how long the registers that a CRM uses may still be called by."""
    for one in register_states(work):
        if one.used_since is not None:
            left = -1 if one.days_left is None else one.days_left
            days_left.add_metric([str(work.crm_id), one.name], left)


def _seconds(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
