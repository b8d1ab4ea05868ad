"""`python -m workers.linking [DIALER ...]`: the process of the links. It ends at SIGTERM and SIGINT."""

import asyncio
import signal
import sys

from wiring.metrics import serve_metrics
from wiring.process import begin
from workers.links import keep_linked
from workers.sending import connect


async def _run(names: list[str]) -> None:
    app = begin("dialer")
    connect(app.settings)
    serve_metrics(app.settings)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    await keep_linked(app, stopping, names)
    app.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1:]))
