"""The audit: every promise held against the whole database of the CRM."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from calling.views import audit
from web.api.common import Model, TheApp
from web.api.docs import answers
from web.keys import Manager

router = APIRouter(prefix="/audit", tags=["audit"])


class Finding(Model):
    """One check of one promise, and how often it was broken."""

    promise: str
    what: str
    count: int


class Audit(Model):
    """Violations by promise, and every check that was made. All zero is well."""

    promises: dict[str, int] = Field(description="P1 to P8.")
    findings: list[Finding]


_EXAMPLE = {
    "promises": {f"P{n}": 0 for n in range(1, 9)},
    "findings": [{"promise": "P1", "what": "two live leases hold one customer", "count": 0}],
}


@router.get("", response_model=Audit, responses=answers(_EXAMPLE))
def held_against(app: TheApp, holder: Manager) -> dict[str, Any]:
    """Audit the promises P1 to P8. Reads everything: seconds for millions of attempts."""
    with app.work(holder.crm_id, snapshot=True) as work:
        work.read_long()
        findings = audit.audit(work)
    return {"promises": audit.by_promise(findings), "findings": findings}
