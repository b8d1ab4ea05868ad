"""The audit: the promises P1 to P8 held against the whole database of a CRM, as numbers of violations."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, text

from calling.views.audit_gaps import rung_inside_the_gap
from calling.views.audit_hours import may_ring_outside_hours, rung_outside_hours
from calling.views.audit_limits import rung_beyond_limits
from calling.views.audit_registers import on_a_register, rung_by_old_registers
from calling.views.audit_sql import CHECKS
from models.outcomes import EFFECTS
from models.work import Work
from segmentation.in_force import rules_in_force
from segmentation.resegment import differing, untrue


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of violation of one promise, and how often it was found."""

    promise: str
    what: str
    count: int


_CHECKS = tuple((promise, what, text(sql)) for promise, what, sql in CHECKS)
# One statement: who wrote the watermark may have asked for a rebuild with it.
_QUIET = text("""
    select a.id, s.swept_to,
           (select min(h.expires_at) from hold h
             where h.crm_id = :crm_id and h.assignment_id = a.id) <= :now as some_run_out
      from assignment a
      left join sweep s on s.crm_id = :crm_id and s.assignment_id = a.id
     where a.crm_id = :crm_id and not exists (
        select from rebuild r where r.crm_id = :crm_id and r.assignment_id = a.id and r.finished_at is null)
     order by a.id
""")


def audit(work: Work) -> list[Finding]:
    """Every check of the CRM, also those that found nothing."""
    words = {
        "counting": [outcome.value for outcome, effect in EFFECTS.items() if effect.counts],
        "ringing": [outcome.value for outcome, effect in EFFECTS.items() if effect.rang],
    }
    findings = [
        Finding(promise, what, int(work.run(statement, **words).scalar_one()))
        for promise, what, statement in _CHECKS
    ]
    findings.append(Finding("P3", "rung outside the hours", rung_outside_hours(work)))
    findings.append(Finding("P3", "an order that may ring outside the hours", may_ring_outside_hours(work)))
    findings.append(Finding("P3", "rung beyond a limit", rung_beyond_limits(work)))
    findings.append(Finding("P3", "rung by a register that was too old", rung_by_old_registers(work)))
    findings += [Finding("P8", what, leases) for what, leases in on_a_register(work).items()]
    numbers, customers = rung_inside_the_gap(work)
    findings.append(Finding("P5", "a number rung twice inside the gap", numbers))
    findings.append(Finding("P5", "a customer rung twice inside the gap", customers))
    moved = sum(_untrue(work, quiet) for quiet in work.run(_QUIET).all())
    findings.append(Finding("P6", "in another segment than the rules say", moved))
    return findings


def _untrue(work: Work, quiet: Row[Any]) -> int:
    """Who is elsewhere than the rules say, now and at the sweep's watermark: P6 holds as of that instant."""
    moves_by_time = quiet.some_run_out or rules_in_force(work, quiet.id).timed
    if quiet.swept_to is None or not moves_by_time:
        return differing(work, quiet.id)
    then = replace(work, now=min(quiet.swept_to, work.now))
    return len(untrue(work, quiet.id) & untrue(then, quiet.id))


def by_promise(findings: list[Finding]) -> Mapping[str, int]:
    """{"P1": 0, ...}: violations per promise."""
    totals = {f"P{n}": 0 for n in range(1, 9)}
    for finding in findings:
        totals[finding.promise] += finding.count
    return totals
