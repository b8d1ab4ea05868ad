"""`python -m web`: the API and the pages, on the settings' host and port."""

import sys
from types import FrameType

import uvicorn

from web.app import create
from web.desks import Desks
from web.following import Following
from web.silence import Silence
from web.upkeep import Upkeep
from wiring.process import begin
from workers.sending import connect


class Server(uvicorn.Server):
    """As uvicorn's; told to stop, it first answers whoever waits for a customer, or for news."""

    def __init__(self, config: uvicorn.Config, desks: Desks) -> None:
        super().__init__(config)
        self._desks = desks

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come; it is the event loop's own thread."""
        super().handle_exit(sig, frame)
        self._desks.close_soon()


def main() -> None:
    """Serve until told to stop (SIGTERM, SIGINT)."""
    app = begin("web")
    connect(app.settings)
    Upkeep(app).start()
    Following(app).start()
    Silence(app).start()
    site = create(app)
    config = uvicorn.Config(
        site,
        host=app.settings.web_host,
        port=app.settings.web_port,
        log_config=None,  # wiring.logs has them all
        access_log=False,  # the edge logs each request, without its query: a key may stand there
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = Server(config, site.state.desks)
    server.run()
    app.close()
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main()
