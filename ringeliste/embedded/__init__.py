"""PostgreSQL and Redis without installing either: one pair of servers per data directory.

`start` is for whoever comes first; everybody else finds the running pair through `servers.json`.
"""

from ringeliste.embedded.servers import Servers, Status, start, status, stop

__all__ = ["Servers", "Status", "start", "status", "stop"]
