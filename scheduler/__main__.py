"""`python -m scheduler`: one leads, any number of others wait. It ends at SIGTERM and SIGINT."""

import signal
from threading import Event

from scheduler.leader import lead_whenever_possible
from scheduler.ticking import Ticker
from wiring.metrics import serve_metrics
from wiring.process import begin
from workers.sending import connect


def main() -> None:
    """Run until told to stop."""
    app = begin("scheduler")
    connect(app.settings)
    serve_metrics(app.settings)
    stopping = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    lead_whenever_possible(app, Ticker(app), stopping)
    app.close()


if __name__ == "__main__":
    main()
