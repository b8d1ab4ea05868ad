"""What our side knows of a chaos, read from the database itself and not by its wires."""

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from calling.views.audit import audit
from models.errors import RingelisteError
from ringeliste.desk_journal import read_lines
from ringeliste.embedded.processes import wait_until
from wiring.app import App

JUDGE = {"RINGELISTE_STATEMENT_SECONDS": "600", "RINGELISTE_TRANSACTION_SECONDS": "3600"}
"""Settings of who holds an hour's calls against the promises in one transaction."""

ANSWER_SECONDS = 180.0
"""Wall time in which PostgreSQL is back, whatever was done to it."""

_HELD = text("""
    select c.external_id from lease l join customer c on c.crm_id = :crm_id and c.id = l.customer_id
     where l.crm_id = :crm_id and l.ended_at is null and (l.state <> 'offered' or l.sent_at is not null)
""")
_LIVE = text("select id from lease where crm_id = :crm_id and ended_at is null")
_KEPT = text("select lease_id, outcome from attempt where crm_id = :crm_id and revision = 0")


class Ledger:
    """The leases and attempts of a CRM, and the journals of the strangers in `folder`."""

    def __init__(self, app: App, crm_id: int, folder: Path) -> None:
        self._app, self._crm_id, self._folder = app, crm_id, folder

    def held(self) -> set[str]:
        """Who is on a screen, at a dialer or in a call now; who only lies in a seller's list is not."""
        return self._asked(_HELD)

    def at_rest(self) -> bool:
        """No lease is live, and everything told was acknowledged."""
        if self._asked(_LIVE):
            return False
        told = self._journals("sellers")
        said = {line["told"]["lease_id"] for line in told}
        heard = {line["told"]["lease_id"] for line in told if line["acknowledged"]}
        lines = self._journals("robot")
        events = {line["event"]["event_id"] for line in lines if "event" in line}
        acked = {key for line in lines for key in line.get("acked", ())}
        return said <= heard and events <= acked

    def attempts(self) -> dict[str, str]:
        """Lease -> outcome of every attempt."""
        with self._app.work(self._crm_id) as work:
            return {str(row.lease_id): row.outcome for row in work.run(_KEPT)}

    def broken(self) -> list[str]:
        """Whatever `ringeliste check` finds, in words."""
        with self._app.work(self._crm_id) as work:
            return [f"{one.promise}: {one.count} times: {one.what}" for one in audit(work) if one.count]

    def _journals(self, who: str) -> list[dict[str, Any]]:
        paths = sorted(self._folder.glob(f"{who}*.journal"))
        return [line for path in paths for line in read_lines(path)]

    def _asked(self, what: Any) -> set[str]:
        """One column, asked until PostgreSQL answers."""
        found: set[str] = set()

        def answered() -> bool:
            try:
                with self._app.work(self._crm_id) as work:
                    found.update(map(str, work.run(what).scalars()))
            except (RingelisteError, SQLAlchemyError):
                return False
            return True

        assert wait_until(answered, ANSWER_SECONDS), "PostgreSQL does not answer"
        return found
