"""The account at the end: the audit, and every word that was told held against what was counted."""

from collections import Counter
from uuid import UUID

from sqlalchemy import text

from calling.views.audit import audit
from models.outcomes import Outcome
from models.work import Work
from ringeliste.faults.scene import Scene

_ATTEMPTS = text(
    "select lease_id, outcome from attempt where crm_id = :crm_id and revision = 0 order by lease_id"
)
_LEFT = {
    "P5: leases that nobody ended": "select count(*) from lease where crm_id = :crm_id and ended_at is null",
    "P4: events that nobody worked off": """
        select count(*) from dialer_event where crm_id = :crm_id and processed_at is null""",
    "P4: events that were set aside": "select count(*) from set_aside where crm_id = :crm_id",
    "P2: pauses that are no wall": """
        select count(*) from pause where crm_id = :crm_id and walled_at is null and lifted_at is null""",
    "P8: do-not-calls that are no wall": """
        select count(*) from suppression
         where crm_id = :crm_id and walled_at is null and lifted_at is null""",
    "P6: rebuilds that nobody finished": """
        select count(*) from rebuild where crm_id = :crm_id and finished_at is null""",
}


def account(scene: Scene) -> str | None:
    """What is broken, in one line; None: nothing is."""
    _, app = scene.processes.named("accountant")
    with super(type(app), app).work(scene.world.crm_id, now=scene.baton.now) as work:
        found = [*_words(work, scene.ledger.words), *_left(work)]
        found += [f"{one.promise}: {one.what}: {one.count}" for one in audit(work) if one.count]
    return "; ".join(found) or None


def _words(work: Work, told: dict[UUID, Outcome]) -> list[str]:
    """Every word that was told is counted once, and nothing else is (P4)."""
    rows = work.run(_ATTEMPTS).all()
    counted = {row.lease_id: row.outcome for row in rows}
    twice = [str(lease_id) for lease_id, times in Counter(row.lease_id for row in rows).items() if times > 1]
    lost = sorted(str(lease_id) for lease_id in told.keys() - counted.keys())
    invented = sorted(str(lease_id) for lease_id in counted.keys() - told.keys())
    other = sorted(str(key) for key in told.keys() & counted.keys() if told[key].value != counted[key])
    kinds = {"counted twice": twice, "lost": lost, "invented": invented, "counted as another": other}
    return [
        f"P4: words {kind}: {len(which)}, first of lease {which[0]}" for kind, which in kinds.items() if which
    ]


def _left(work: Work) -> list[str]:
    left = {what: work.run(text(sql)).scalar_one() for what, sql in _LEFT.items()}
    return [f"{what}: {count}" for what, count in left.items() if count]
